package node

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/internal/scrapetest"
)

// What is refused is what the real binaries refuse, in their words where kingpin speaks.
func TestFlagsTheReleaseDoesNotStartWith(t *testing.T) {
	for _, tc := range []struct{ version, args, message string }{
		{"1.12.1", "--collector.nope", "unknown long flag '--collector.nope'"},
		{"1.12.1", "--no-collector.textfile.directory", "unknown long flag '--no-collector.textfile.directory'"},
		{"1.0.1", "--collector.filesystem.mount-points-exclude=x", "unknown long flag '--collector.filesystem.mount-points-exclude'; it came with 1.2.0"},
		{"1.3.1", "--collector.diskstats.device-exclude=x", "unknown long flag '--collector.diskstats.device-exclude'; it came with 1.4.0"},
		{"1.3.1", "--web.config.file=x", "unknown long flag '--web.config.file'; it came with 1.5.0"},
		{"1.12.1", "--web.config=x", "unknown long flag '--web.config'; it went with 1.5.0"},
		{"1.12.1", "-x", "unknown short flag '-x'"},
		{"1.12.1", "foo", "unexpected foo"},
		{"1.12.1", "--collector.cpu=false", "unexpected false"},
		{"1.12.1", "--no-collector.cpu --collector.cpu", "flag 'collector.cpu' cannot be repeated"},
		{"1.12.1", "--path.procfs=/a --path.procfs=/b", "flag 'path.procfs' cannot be repeated"},
		{"1.12.1", "--web.telemetry-path", "expected argument for flag '--web.telemetry-path'"},
		{"1.12.1", "--path.rootfs --no-collector.wifi", "expected argument for flag '--path.rootfs'"},
		{"1.12.1", "--web.telemetry-path=foo", "--web.telemetry-path=foo does not begin with /"},
		{"1.3.1", "--web.telemetry-path=/", "--web.telemetry-path=/ is where the landing page is, before 1.6.0 always"},
		{"1.12.1", "--log.level=loud", "unrecognized log level loud"},
		{"1.12.1", "--log.format=xml", "unrecognized log format xml"},
		{"1.12.1", "--web.max-requests=x", `--web.max-requests: strconv.ParseFloat: parsing "x": invalid syntax`},
		{"1.12.1", "--collector.netstat.fields=[", "--collector.netstat.fields: error parsing regexp: missing closing ]: `[`"},
		{"1.12.1", "--collector.netdev.device-exclude=x --collector.netdev.device-include=y",
			"--collector.netdev.device-exclude and --collector.netdev.device-include are mutually exclusive"},
		{"1.12.1", "--collector.filesystem.mount-points-exclude=x --collector.filesystem.ignored-mount-points=y",
			"--collector.filesystem.ignored-mount-points and --collector.filesystem.mount-points-exclude are mutually exclusive"},
	} {
		_, err := Build(world(t), "box", fakes.Setup{Version: tc.version, Args: strings.Fields(tc.args)})
		require.EqualError(t, err, "args: node_exporter "+tc.version+" does not start: "+tc.message)
	}
}

func TestFlagsLeaveOut(t *testing.T) {
	const byCPU, none = "node_cpu_seconds_total", ""
	for _, tc := range []struct{ version, args, gone, kept string }{
		{"", "--no-collector.cpu", byCPU, "node_cpu_scaling_frequency_hertz"},
		{"", "--collector.disable-defaults --collector.cpu", "node_load1", byCPU},
		{"", "--collector.cpu --collector.disable-defaults", "node_load1", "node_exporter_build_info"},
		{"", "--web.disable-exporter-metrics", "go_goroutines", byCPU},
		{"1.12.1", "--web.disable-exporter-metrics", "promhttp_metric_handler_errors_total", byCPU},
		{"1.6.1", "--web.disable-exporter-metrics", "go_goroutines", "promhttp_metric_handler_errors_total"},
		{"", "--no-collector.cpu.guest", "node_cpu_guest_seconds_total", byCPU},
		{"", "--collector.netstat.fields=^Tcp_.*", "node_netstat_Udp_InErrors", "node_netstat_Tcp_InSegs"},
		{"", "--collector.vmstat.fields=^pgfault$", "node_vmstat_pgpgin", "node_vmstat_pgfault"},
		{"", "--collector.diskstats.device-exclude=^nvme", "node_disk_io_now", "node_nvme_info"},
		{"1.3.1", "--collector.diskstats.ignored-devices ^(nvme0n1)$", "node_disk_io_now", "node_nvme_info"},
		{"", "--web.listen-address=:9100 --web.listen-address=:9101 --log.level=debug --log.format=json --runtime.gomaxprocs=2", none, byCPU},
		{"", "--path.rootfs=/host --path.procfs=/host/proc --path.sysfs=/host/sys --path.udev.data=/host/run/udev/data --collector.textfile.directory=/x", none, byCPU},
		{"1.0.1", "--collector.filesystem.ignored-mount-points=^/(sys|proc|dev|host|etc)($|/)", none, "node_filesystem_size_bytes"},
	} {
		s := scrape(t, built(t, tc.version, strings.Fields(tc.args)...), moment)
		assert.NotContains(t, s.Families, tc.gone, tc.args)
		assert.Contains(t, s.Families, tc.kept, tc.args)
	}
}

func TestFlagsLeaveOutSeries(t *testing.T) {
	const root = `device="/dev/nvme0n1p2"`
	for _, tc := range []struct{ version, args, family, gone, kept string }{
		{"", "--collector.filesystem.mount-points-exclude=^/run($|/)", "node_filesystem_size_bytes", `mountpoint="/run"`, `mountpoint="/"`},
		{"1.0.1", "--collector.filesystem.ignored-mount-points=^/run($|/)", "node_filesystem_mount", `mountpoint="/run"`, ``},
		{"1.12.1", "--collector.filesystem.ignored-fs-types=^tmpfs$", "node_filesystem_size_bytes", `fstype="tmpfs"`, root},
		{"1.12.1", "--collector.filesystem.fs-types-include=^tmpfs$", "node_filesystem_size_bytes", root, `fstype="tmpfs"`},
		{"", "--collector.netdev.device-exclude=^lo$", "node_network_receive_bytes_total", `device="lo"`, `device="eth0"`},
		{"1.0.1", "--collector.netdev.device-whitelist=^lo$", "node_network_receive_bytes_total", `device="eth0"`, `device="lo"`},
		{"", "--collector.netclass.ignored-devices=^lo$", "node_network_up", `device="lo"`, `device="eth0"`},
		{"", "--collector.hwmon.chip-exclude=^nvme", "node_hwmon_temp_celsius", `chip="nvme_nvme0"`, `chip="platform_coretemp_0"`},
		{"", "--collector.wifi", "node_scrape_collector_success", `collector="systemd"`, `collector="wifi"} 0`},
		{"", "--collector.systemd", "node_scrape_collector_success", `collector="wifi"`, `collector="systemd"} 1`},
		{"", "--collector.systemd --collector.systemd.unit-include=.+[.]service --collector.systemd.unit-exclude=ssh.*", "node_systemd_unit_state",
			"ssh.service", "docker.service"},
		{"1.0.1", "--collector.systemd --collector.systemd.unit-whitelist=ssh", "node_systemd_unit", "ssh.service", ""},
	} {
		var lines []string
		for line := range strings.Lines(string(built(t, tc.version, strings.Fields(tc.args)...).AppendScrape(nil, moment))) {
			if strings.HasPrefix(line, tc.family) {
				lines = append(lines, line)
			}
		}
		text := strings.Join(lines, "")
		assert.NotContains(t, text, tc.gone, tc.args)
		assert.Contains(t, text, tc.kept, tc.args)
	}
}

// What the processes, tcpstat, interrupts and cpu collectors say was seen of three releases; systemd's is from the source.
func TestCollectorsThatAreOffByDefault(t *testing.T) {
	scrapes := map[string]scrapetest.Scrape{}
	for _, version := range Versions() {
		scrapes[version] = scrape(t, built(t, version, offByDefault()...), moment)
	}
	standard := scrape(t, built(t, ""), moment)
	for _, tc := range []struct {
		name, kind, labels, since string
	}{
		{"node_cpu_info", gauge, "cachesize,core,cpu,family,microcode,model,model_name,package,stepping,vendor", "1.0.0"},
		{"node_interrupts_total", counter, "cpu,devices,info,type", "1.0.0"},
		{"node_processes_max_processes", gauge, "", "1.0.0"}, {"node_processes_max_threads", gauge, "", "1.0.0"},
		{"node_processes_pids", gauge, "", "1.0.0"}, {"node_processes_state", gauge, "state", "1.0.0"}, {"node_processes_threads", gauge, "", "1.0.0"},
		{"node_processes_threads_state", gauge, "thread_state", "1.3.0"},
		{"node_systemd_service_restart_total", counter, "name", "1.0.0"}, {"node_systemd_unit_start_time_seconds", gauge, "name", "1.0.0"},
		{"node_systemd_unit_tasks_max", gauge, "name", "1.0.0"}, {"node_systemd_unit_state", gauge, "name,state,type", "1.0.0"},
		{"node_systemd_version", gauge, "version", "1.4.0"}, {"node_systemd_virtualization_info", gauge, "virtualization_type", "1.10.0"},
		{"node_tcp_connection_states", gauge, "state", "1.0.0"},
	} {
		for _, version := range Versions() {
			family, printed := scrapes[version].Families[tc.name]
			r, err := parseRelease(version)
			require.NoError(t, err)
			if tc.name == "node_systemd_version" && r.Before(tc.since) {
				assert.Equal(t, []string{""}, family.LabelNames, version)
				continue
			}
			require.Equal(t, r.Since(tc.since), printed, "%s of %s", tc.name, version)
			if printed {
				assert.Equal(t, tc.kind, family.Type, tc.name)
				assert.Equal(t, []string{tc.labels}, family.LabelNames, tc.name)
			}
		}
		assert.NotContains(t, standard.Families, tc.name)
	}
	bare := scrape(t, built(t, "", "--collector.systemd"), moment)
	assert.NotContains(t, bare.Families, "node_systemd_service_restart_total", "it has a flag of its own")
}

// offByDefault switches on what is off by default and acted out.
func offByDefault() []string {
	return []string{"--collector.processes", "--collector.tcpstat", "--collector.interrupts", "--collector.cpu.info", "--collector.systemd",
		"--collector.systemd.enable-restarts-metrics", "--collector.systemd.enable-start-time-metrics", "--collector.systemd.enable-task-metrics"}
}

func TestCommandLineMayBeginWithItsProgram(t *testing.T) {
	for _, args := range [][]string{
		{"--no-collector.cpu"},
		{"node_exporter", "--no-collector.cpu"},
		{"/bin/node_exporter", "--no-collector.cpu"},
		{"/sbin/tini", "--", "/bin/node_exporter", "--no-collector.cpu"},
		{"sh", "-c", "exec node_exporter --no-collector.cpu"},
		{"/bin/sh", "-ec", "mkdir -p /t; /bin/node_exporter \\\n  '--no-collector.cpu' --path.rootfs=\"/a b\" 2>&1 | tee log"},
		{"bash", "-c", "sleep 1 && node_exporter --no-collector.cpu && echo over"},
	} {
		s := scrape(t, built(t, "", args...), moment)
		assert.NotContains(t, s.Families, "node_cpu_seconds_total", args)
	}
	assert.Contains(t, scrape(t, built(t, "", "sh", "-c", "exec /start.sh"), moment).Families, "node_cpu_seconds_total", "what a script does is not known")
	_, err := Build(world(t), "box", fakes.Setup{Args: []string{"sh", "-c", "node_exporter --nope"}})
	require.ErrorContains(t, err, "unknown long flag '--nope'")
}

func TestEveryFlagOfTheTableIsTaken(t *testing.T) {
	flags := allFlags()
	require.GreaterOrEqual(t, len(flags), 180)
	for _, version := range Versions() {
		r, err := parseRelease(version)
		require.NoError(t, err)
		collectors := 0
		for name, f := range flags {
			args := []string{"--" + name}
			if f.takes != "switch" {
				args = append(args, "1")
			}
			if name == "log.level" || name == "log.format" {
				args[1] = map[string]string{"log.level": "info", "log.format": "json"}[name]
			}
			_, err := takeApart(args, r, flags)
			assert.Equal(t, f.of(r), err == nil, "%s --%s: %v", version, name, err)
			if f.collector() != "" && f.of(r) && f.standard == "enabled" {
				collectors++
			}
		}
		success := 0
		for series := range scrape(t, built(t, version), moment).Series {
			if nameOf(series) == "node_scrape_collector_success" {
				success++
			}
		}
		assert.Equal(t, collectors, success, version)
	}
}

// The numbers are those of the real binaries without a flag, and so are the collectors that say they have failed: but for mdadm, which
// found no /proc/mdstat where they ran.
func TestCollectorsAreThoseOfTheRealReleases(t *testing.T) {
	const failing = "bonding infiniband ipvs nfs nfsd"
	for version, want := range map[string]struct {
		collectors int
		failing    string
	}{
		"1.0.1": {39, failing}, "1.1.2": {40, failing + " fibrechannel rapl zfs"}, "1.2.2": {42, failing + " fibrechannel rapl tapestats zfs"},
		"1.3.1": {44, failing + " fibrechannel rapl tapestats zfs"}, "1.6.1": {45, failing + " fibrechannel rapl tapestats zfs"},
		"1.7.0": {45, failing + " fibrechannel rapl tapestats zfs"}, "1.8.2": {46, failing + " fibrechannel rapl tapestats zfs"},
		"1.9.1": {46, failing + " fibrechannel rapl tapestats zfs"}, "1.10.2": {46, failing + " fibrechannel rapl tapestats zfs"},
		"1.11.1": {48, failing + " bcachefs fibrechannel rapl tapestats zfs"}, "1.12.1": {49, failing + " bcachefs fibrechannel rapl tapestats zfs"},
	} {
		var failed []string
		collectors := 0
		for line := range strings.Lines(string(built(t, version).AppendScrape(nil, moment))) {
			name, found := strings.CutPrefix(line, `node_scrape_collector_success{collector="`)
			if !found {
				continue
			}
			collectors++
			if name, failure := strings.CutSuffix(name, "\"} 0\n"); failure {
				failed = append(failed, name)
			}
		}
		assert.Equal(t, want.collectors, collectors, version)
		assert.ElementsMatch(t, strings.Fields(want.failing), failed, version)
	}
}

func TestRestartResetsTheProcessAndNotTheKernel(t *testing.T) {
	e := built(t, "")
	at := moment.Add(7 * time.Second)
	body := func(started time.Time) scrapetest.Scrape {
		s := e.snapshot(at, started)
		return scrapetest.Parse(t, e.page.Append(nil, &s), e.ContentType())
	}
	before, after := body(start), body(moment)
	lower := 0
	for series, v := range before.Series {
		name := nameOf(series)
		own := strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") || strings.HasPrefix(name, "promhttp_")
		if !own || strings.HasPrefix(name, "process_network_") { // the network is the whole machine's
			assert.InDelta(t, v, after.Series[series], 0, series)
			continue
		}
		if name != "process_start_time_seconds" && cumulative(before, name) {
			assert.LessOrEqual(t, after.Series[series], v, series)
			if after.Series[series] < v {
				lower++
			}
		}
	}
	assert.GreaterOrEqual(t, lower, 6, "counters that fell")
	assert.InDelta(t, float64(moment.Unix()), after.Series[`{__name__="process_start_time_seconds"}`], 0.01)
	assert.InDelta(t, 0, after.Series[`{__name__="promhttp_metric_handler_requests_total", code="200"}`], 0)
	assert.InDelta(t, 0, after.Series[`{__name__="go_gc_duration_seconds_count"}`], 0)
	started := scrape(t, e, at).Series[`{__name__="process_start_time_seconds"}`]
	assert.InDelta(t, float64(e.world.Started("node", at).Unix()), started, 0.01)
}
