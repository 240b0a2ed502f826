package dcgm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

func TestOptions(t *testing.T) {
	read := func(env map[string]string, args ...string) options {
		o, err := readOptions(fakes.Setup{Args: args, Env: env})
		require.NoError(t, err, args)
		return *o
	}
	base := read(nil)
	assert.Equal(t, defaultCounters, base.counters)
	assert.Equal(t, 30*time.Second, base.interval)
	assert.True(t, base.devices.flex)

	for _, tc := range []struct {
		args []string
		env  map[string]string
		want func(*options)
	}{
		{
			args: []string{"dcgm-exporter", "--collectors", "a.csv", "-c", "5000"},
			want: func(o *options) { o.counters, o.interval = "a.csv", 5*time.Second },
		},
		{
			args: []string{"/usr/bin/dcgm-exporter", "-f=a.csv", "--collect-interval=100"},
			want: func(o *options) { o.counters, o.interval = "a.csv", 100*time.Millisecond },
		},
		{
			args: []string{"sh", "-c", `sleep 1 && exec dcgm-exporter -f "a b.csv" -k`},
			want: func(o *options) { o.counters, o.kubernetes = "a b.csv", true },
		},
		{args: []string{"/bin/bash", "-ec", "dcgm-exporter --no-hostname"}, want: func(o *options) { o.noHostname = true }},
		{
			args: []string{"--address", ":9500", "--debug", "-k", "--log-format", "json", "-o"},
			want: func(o *options) { o.kubernetes, o.oldNamespace = true, true },
		},
		{
			args: []string{"--web-config-file", "web.yml", "--kubernetes=false"},
			env:  map[string]string{"DCGM_EXPORTER_KUBERNETES": "true"},
			want: func(*options) {},
		},
		{
			env:  map[string]string{"DCGM_EXPORTER_INTERVAL": "1000", "DCGM_EXPORTER_NO_HOSTNAME": "1"},
			want: func(o *options) { o.interval, o.noHostname = time.Second, true },
		},
		{
			args: []string{"-c", "2000"},
			env:  map[string]string{"DCGM_EXPORTER_INTERVAL": "1000"},
			want: func(o *options) { o.interval = 2 * time.Second },
		},
		{args: []string{"-r", "tcp://engine:5555"}, want: func(o *options) { o.remote = "engine" }},
		{args: []string{"-d", "g:0,2-3+i:7"}, want: func(o *options) {
			o.devices = devices{gpus: true, instances: true, gpuIDs: []int{0, 2, 3}, instanceIDs: []int{7}}
		}},
		{
			args: []string{"-x", "60000", "--clock-events-count-window-size", "1000"},
			want: func(o *options) { o.xidWindow, o.clockWindow = time.Minute, time.Second },
		},
	} {
		want := read(nil)
		tc.want(&want)
		assert.Equal(t, want, read(tc.env, tc.args...), "%v %v", tc.args, tc.env)
	}
	for _, tc := range []struct {
		args    []string
		env     map[string]string
		message string
	}{
		{[]string{"--collect-interval", "30s"}, nil, `flag --collect-interval: "30s" is no number of milliseconds`},
		{[]string{"-f"}, nil, "flag -f: its value is missing"},
		{[]string{"--kubernetes=perhaps"}, nil, `"perhaps" is neither true nor false`},
		{[]string{"-d", "x"}, nil, `"x" is none of f, g, i and g+i`},
		{[]string{"-d", "g:a"}, nil, `"a" is no number`},
		{[]string{"--kubernetes-gpu-id-type", "uuid"}, nil, `"uuid" is neither uid nor device-name`},
		{[]string{"--kubernetes-pod-label-allowlist-regex", "("}, nil, "missing closing"},
		{nil, map[string]string{"DCGM_EXPORTER_KUBERNETES": "yes"}, `environment variable DCGM_EXPORTER_KUBERNETES: "yes" is neither`},
	} {
		_, err := readOptions(fakes.Setup{Args: tc.args, Env: tc.env})
		assert.ErrorContains(t, err, tc.message, tc.args)
	}
}

func TestHostname(t *testing.T) {
	id := fakes.IdentityOf("box").ContainerID("dcgm-exporter")
	for _, tc := range []struct {
		name  string
		setup fakes.Setup
		label string // "" for none
	}{
		{"the container's id", fakes.Setup{}, `Hostname="` + id + `"`},
		{"a hostname of its own", fakes.Setup{Hostname: "gpu-box"}, `Hostname="gpu-box"`},
		{"the node's", fakes.Setup{Hostname: "gpu-box", Env: map[string]string{"NODE_NAME": "node-7"}}, `Hostname="node-7"`},
		{"renamed", fakes.Setup{Version: "main", Hostname: "gpu-box"}, `hostname="gpu-box"`},
		{"left out", fakes.Setup{Hostname: "gpu-box", Args: []string{"-n"}}, ""},
		{"of a remote host engine", fakes.Setup{Args: []string{"--remote-hostengine-info=engine:5555"}}, `Hostname="engine"`},
		{"of a remote host engine, before it was told", fakes.Setup{Version: "3.1.8", Hostname: "box", Args: []string{"-r", "engine:5555"}}, `Hostname="box"`},
	} {
		body, _ := scrapeOf(t, world(t), tc.setup)
		if tc.label == "" {
			assert.NotContains(t, body, "ostname=", tc.name)
			continue
		}
		assert.Contains(t, body, ","+tc.label, tc.name)
	}
}

func TestCollectInterval(t *testing.T) {
	e := build(t, world(t), fakes.Setup{Args: []string{"-c", "5000"}})
	at := start.Add(7*time.Hour + 4*time.Second)
	assert.Equal(t, e.AppendScrape(nil, start.Add(7*time.Hour)), e.AppendScrape(nil, at))
	assert.NotEqual(t, e.AppendScrape(nil, at), e.AppendScrape(nil, at.Add(time.Second)))
}
