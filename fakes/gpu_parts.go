package fakes

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// gpuParts is what a GPU is made of and who uses it, as dcgm-exporter shows it.
type gpuParts struct {
	uuid    string // "" for one of the machine's own
	uuidAt  position
	mig     []Instance
	vgpu    bool
	nvlinks int
	pod     *Pod
	at      position // of mig, for what only shows when all of the GPU is known
}

// Instance is one GPU instance of a GPU in MIG mode.
type Instance struct {
	Profile string // such as 1g.10gb
	ID      int    // NVML's number of the instance
	pod     *Pod
}

// Pod is the Kubernetes pod that a GPU or a GPU instance is given to.
type Pod struct {
	Name, Namespace, Container, UID string
	Labels                          []PodLabel // by name
}

// PodLabel is a label of a Pod, its name as it stands in the pod.
type PodLabel struct{ Name, Value string }

// What the hardware has.
const (
	maxSlices     = 7 // compute slices of a GPU in MIG mode
	maxInstanceID = 14
	maxNVLinks    = 18
	maxNVSwitches = 18
	maxGraceCPUs  = 8
)

// migProfile is how NVIDIA names a GPU instance: its compute slices, its memory, and what it has beside them, as in 1g.5gb+me.
var migProfile = regexp.MustCompile(`^([1-7])g\.(\d{1,3})gb(?:\+[a-z.]+)?$`)

// UUID is what the driver calls the GPU in the machine of that identity: what the scenario says, or else one that follows from the
// identity.
func (g *GPU) UUID(id Identity) string {
	if g.spec.parts.uuid != "" {
		return g.spec.parts.uuid
	}
	return id.GPUUUID(g.index)
}

// Instances are the GPU's instances by ID where it is in MIG mode, none where it is not.
func (g *GPU) Instances() []Instance { return slices.Clone(g.spec.parts.mig) }

// Virtual says whether this is a virtual GPU, of which the machine below knows more than its own driver.
func (g *GPU) Virtual() bool { return g.spec.parts.vgpu }

// NVLinks is how many NVLinks the GPU has.
func (g *GPU) NVLinks() int { return g.spec.parts.nvlinks }

// Pod is the pod that the GPU is given to; false where it is given to none, or its instances are given away one by one.
func (g *GPU) Pod() (Pod, bool) { return podOf(g.spec.parts.pod) }

// IdlePower is what the GPU draws when it has nothing to do, in watts.
func (g *GPU) IdlePower() float64 { return g.spec.powerIdle }

// MemoryIdle is the memory in use when the GPU has nothing to do, in bytes.
func (g *GPU) MemoryIdle() float64 { return g.spec.memoryIdle * bytesPerMiB }

// BusySeconds is the integral of Utilization since the world's start, in seconds.
func (g *GPU) BusySeconds(at time.Time) float64 { return g.load.integral(g.world.tickAt(at)) }

// Pod is the pod that the instance is given to.
func (i Instance) Pod() (Pod, bool) { return podOf(i.pod) }

// Memory is the instance's memory in bytes, as its profile names it.
func (i Instance) Memory() int64 {
	gb, _ := strconv.ParseInt(migProfile.FindStringSubmatch(i.Profile)[2], 10, 64) // the pattern has made sure
	return gb << 10 * bytesPerMiB
}

func (i Instance) slices() int { return int(i.Profile[0] - '0') }

func podOf(p *Pod) (Pod, bool) {
	if p == nil {
		return Pod{}, false
	}
	pod := *p
	pod.Labels = slices.Clone(p.Labels)
	return pod, true
}

// setters reads the keys of a GPU's parts.
func (p *gpuParts) setters(base setters) setters {
	base["uuid"] = p.readUUID
	base["mig"] = func(f field) error { p.at = f.at(); return f.items(p.addInstance) }
	base["vgpu"] = boolean(&p.vgpu)
	base["nvlinks"] = integer(&p.nvlinks, 0, maxNVLinks)
	base["pod"] = readPod(&p.pod)
	return base
}

// readUUID reads the name that the driver gives a GPU, as GPU-5fd4f087-86f3-7a43-b711-4771313afc50.
func (p *gpuParts) readUUID(f field) error {
	p.uuidAt = f.at()
	if err := text(&p.uuid)(f); err != nil {
		return err
	}
	if !podText.MatchString(p.uuid) {
		return f.errorf("%q has characters that no UUID has", p.uuid)
	}
	return nil
}

// checkUUIDs refuses two GPUs of one name.
func (s *Scenario) checkUUIDs() error {
	seen := map[string]bool{}
	for i := range s.gpus {
		p := &s.gpus[i].parts
		if p.uuid == "" {
			continue
		}
		if seen[p.uuid] {
			return p.uuidAt.errorf("uuid %s stands twice; each GPU has one of its own", p.uuid)
		}
		seen[p.uuid] = true
	}
	return nil
}

func (p *gpuParts) addInstance(f field) error {
	instance := Instance{ID: -1}
	err := f.mapping(setters{
		"profile": func(f field) error {
			if err := text(&instance.Profile)(f); err != nil {
				return err
			}
			if !migProfile.MatchString(instance.Profile) {
				return f.errorf("%q is no MIG profile: want slices and memory, as 1g.10gb", instance.Profile)
			}
			return nil
		},
		"id":  integer(&instance.ID, 0, maxInstanceID),
		"pod": readPod(&instance.pod),
	})
	switch {
	case err != nil:
		return err
	case instance.Profile == "" || instance.ID < 0:
		return f.errorf("profile or id is missing")
	case slices.ContainsFunc(p.mig, func(o Instance) bool { return o.ID == instance.ID }):
		return f.errorf("id %d stands twice", instance.ID)
	}
	p.mig = append(p.mig, instance)
	slices.SortFunc(p.mig, func(a, b Instance) int { return cmp.Compare(a.ID, b.ID) })
	return nil
}

// roundedUp is by how much the memory in the names of a GPU's profiles may exceed what the driver says it has: names are rounded,
// and some of it the driver keeps.
const roundedUp = 1.1

func (g *gpuSpec) checkParts() error {
	p := &g.parts
	if len(p.mig) == 0 {
		return nil
	}
	taken, memory := 0, int64(0)
	for _, i := range p.mig {
		taken += i.slices()
		memory += i.Memory() / bytesPerMiB
	}
	switch {
	case taken > maxSlices:
		return p.at.errorf("mig: the instances take %d compute slices, of %d that a GPU has", taken, maxSlices)
	case float64(memory) > roundedUp*float64(g.memoryTotal):
		return p.at.errorf("mig: the instances take %d MiB of memory, of %d that the GPU has", memory, g.memoryTotal)
	case p.vgpu:
		return p.at.errorf("mig: a vGPU has no instances of its own")
	case p.pod != nil:
		return p.at.errorf("mig: a GPU with instances is not given to a pod; give them a pod each")
	}
	return nil
}

// podText is what the names of Kubernetes look like, which need nothing escaped in a label.
var podText = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$`)

func readPod(to **Pod) func(field) error {
	return func(f field) error {
		pod := Pod{Namespace: "default"}
		err := f.mapping(setters{
			"name":      kubernetesName(&pod.Name),
			"namespace": kubernetesName(&pod.Namespace),
			"container": kubernetesName(&pod.Container),
			"uid":       kubernetesName(&pod.UID),
			"labels":    pod.readLabels,
		})
		if err != nil {
			return err
		}
		if pod.Name == "" || pod.Container == "" {
			return f.errorf("name or container is missing")
		}
		*to = &pod
		return nil
	}
}

func kubernetesName(to *string) func(field) error {
	return func(f field) error {
		if err := text(to)(f); err != nil {
			return err
		}
		if !podText.MatchString(*to) {
			return f.errorf("%q is not a name that Kubernetes takes", *to)
		}
		return nil
	}
}

// readLabels reads a mapping whose keys are for the author to choose.
func (p *Pod) readLabels(f field) error {
	set := setters{}
	values := make([]PodLabel, len(f.node.Content)/2)
	for i := range values {
		key := f.node.Content[2*i].Value
		if !podText.MatchString(key) {
			return f.errorf("%q is not a label that Kubernetes takes", key)
		}
		values[i].Name = key
		set[key] = kubernetesName(&values[i].Value)
	}
	if err := f.mapping(set); err != nil {
		return err
	}
	slices.SortFunc(values, func(a, b PodLabel) int { return strings.Compare(a.Name, b.Name) })
	p.Labels = values
	return nil
}

// boolean sets a true or a false.
func boolean(to *bool) func(field) error {
	return func(f field) error {
		if f.node.Tag != "!!bool" || f.node.Decode(to) != nil {
			return f.errorf("want true or false, have %s", kindName(f.node))
		}
		return nil
	}
}

// hostParts is what a host has beside CPUs, memory and GPUs, as dcgm-exporter shows it.
type hostParts struct {
	graceCPUs  int // CPUs of NVIDIA's own, which the host's CPUs are the cores of
	nvswitches int
}

func (p *hostParts) setters(base setters) setters {
	base["grace_cpus"] = integer(&p.graceCPUs, 0, maxGraceCPUs)
	base["nvswitches"] = integer(&p.nvswitches, 0, maxNVSwitches)
	return base
}

// GraceCPUs is how many CPUs of NVIDIA's own the host has. The host's CPUs are their cores.
func (h *Host) GraceCPUs() int { return h.spec.parts.graceCPUs }

// NVSwitches is how many NVSwitches join the host's GPUs.
func (h *Host) NVSwitches() int { return h.spec.parts.nvswitches }
