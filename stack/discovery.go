package stack

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/discovery"
	_ "github.com/prometheus/prometheus/discovery/file" // file_sd_configs, run for real
	_ "github.com/prometheus/prometheus/discovery/http" // http_sd_configs, run for real
)

// Prometheus refuses a whole prometheus.yml for one discovery section that it
// does not know. The packages behind most sections bring the SDKs of their
// clouds, several times the weight of everything else here, and could find
// nothing where no cloud is. So these sections are known by stand-ins that read
// whatever stands there.
type (
	awsSD          struct{}
	azureSD        struct{}
	consulSD       struct{}
	digitaloceanSD struct{}
	dnsSD          struct{}
	dockerSD       struct{}
	dockerswarmSD  struct{}
	ec2SD          struct{}
	ecsSD          struct{}
	elasticacheSD  struct{}
	eurekaSD       struct{}
	gceSD          struct{}
	hetznerSD      struct{}
	ionosSD        struct{}
	kubernetesSD   struct{}
	kumaSD         struct{}
	lightsailSD    struct{}
	linodeSD       struct{}
	marathonSD     struct{}
	mskSD          struct{}
	nerveSD        struct{}
	nomadSD        struct{}
	ociSD          struct{}
	openstackSD    struct{}
	outscaleSD     struct{}
	ovhcloudSD     struct{}
	puppetdbSD     struct{}
	rdsSD          struct{}
	scalewaySD     struct{}
	serversetSD    struct{}
	stackitSD      struct{}
	tritonSD       struct{}
	uyuniSD        struct{}
	vultrSD        struct{}
)

func (awsSD) mechanism() string          { return "aws" }
func (azureSD) mechanism() string        { return "azure" }
func (consulSD) mechanism() string       { return "consul" }
func (digitaloceanSD) mechanism() string { return "digitalocean" }
func (dnsSD) mechanism() string          { return "dns" }
func (dockerSD) mechanism() string       { return "docker" }
func (dockerswarmSD) mechanism() string  { return "dockerswarm" }
func (ec2SD) mechanism() string          { return "ec2" }
func (ecsSD) mechanism() string          { return "ecs" }
func (elasticacheSD) mechanism() string  { return "elasticache" }
func (eurekaSD) mechanism() string       { return "eureka" }
func (gceSD) mechanism() string          { return "gce" }
func (hetznerSD) mechanism() string      { return "hetzner" }
func (ionosSD) mechanism() string        { return "ionos" }
func (kubernetesSD) mechanism() string   { return "kubernetes" }
func (kumaSD) mechanism() string         { return "kuma" }
func (lightsailSD) mechanism() string    { return "lightsail" }
func (linodeSD) mechanism() string       { return "linode" }
func (marathonSD) mechanism() string     { return "marathon" }
func (mskSD) mechanism() string          { return "msk" }
func (nerveSD) mechanism() string        { return "nerve" }
func (nomadSD) mechanism() string        { return "nomad" }
func (ociSD) mechanism() string          { return "oci" }
func (openstackSD) mechanism() string    { return "openstack" }
func (outscaleSD) mechanism() string     { return "outscale" }
func (ovhcloudSD) mechanism() string     { return "ovhcloud" }
func (puppetdbSD) mechanism() string     { return "puppetdb" }
func (rdsSD) mechanism() string          { return "rds" }
func (scalewaySD) mechanism() string     { return "scaleway" }
func (serversetSD) mechanism() string    { return "serverset" }
func (stackitSD) mechanism() string      { return "stackit" }
func (tritonSD) mechanism() string       { return "triton" }
func (uyuniSD) mechanism() string        { return "uyuni" }
func (vultrSD) mechanism() string        { return "vultr" }

// init, because Prometheus's registry is global, is written without a lock and
// is frozen by the first file that is parsed: this is how Prometheus's own
// discoveries register, and there is no later moment that is safe.
func init() {
	known := discovery.RegisteredConfigNames()
	for _, c := range []discovery.Config{
		parseOnly[awsSD](), parseOnly[azureSD](), parseOnly[consulSD](), parseOnly[digitaloceanSD](),
		parseOnly[dnsSD](), parseOnly[dockerSD](), parseOnly[dockerswarmSD](), parseOnly[ec2SD](),
		parseOnly[ecsSD](), parseOnly[elasticacheSD](), parseOnly[eurekaSD](), parseOnly[gceSD](),
		parseOnly[hetznerSD](), parseOnly[ionosSD](), parseOnly[kubernetesSD](), parseOnly[kumaSD](),
		parseOnly[lightsailSD](), parseOnly[linodeSD](), parseOnly[marathonSD](), parseOnly[mskSD](),
		parseOnly[nerveSD](), parseOnly[nomadSD](), parseOnly[ociSD](), parseOnly[openstackSD](),
		parseOnly[outscaleSD](), parseOnly[ovhcloudSD](), parseOnly[puppetdbSD](), parseOnly[rdsSD](),
		parseOnly[scalewaySD](), parseOnly[serversetSD](), parseOnly[stackitSD](), parseOnly[tritonSD](),
		parseOnly[uyuniSD](), parseOnly[vultrSD](),
	} {
		if !slices.Contains(known, c.Name()) { // a program may link the real one
			discovery.RegisterConfig(c)
		}
	}
}

func parseOnly[M interface{ mechanism() string }]() discovery.Config { return &unlinkedSD[M]{} }

// unlinkedSD is a service-discovery section that is read and not run. M makes it
// a type of its own for each mechanism, which Prometheus's registry needs.
type unlinkedSD[M interface{ mechanism() string }] struct {
	// section is kept because an equal value means an equal discovery to
	// Prometheus, and an empty one a mistake in the file.
	section map[string]any
}

// UnmarshalYAML takes any mapping.
func (c *unlinkedSD[M]) UnmarshalYAML(unmarshal func(any) error) error {
	c.section = map[string]any{}
	return unmarshal(&c.section)
}

// Name implements discovery.Config.
func (c *unlinkedSD[M]) Name() string {
	var m M
	return m.mechanism()
}

// NewDiscoverer implements discovery.Config. It always fails.
func (c *unlinkedSD[M]) NewDiscoverer(discovery.DiscovererOptions) (discovery.Discoverer, error) {
	return nil, fmt.Errorf("%s_sd_configs is read but not run here: panelgate runs only static, file and http discovery", c.Name())
}

// NewDiscovererMetrics implements discovery.Config.
func (c *unlinkedSD[M]) NewDiscovererMetrics(prometheus.Registerer, discovery.RefreshMetricsInstantiator) discovery.DiscovererMetrics {
	return &discovery.NoopDiscovererMetrics{}
}
