package dcgm

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

// FuzzBuild wants an error, or an exporter that prints the same scrape twice, whatever its release, its command line, its
// environment and its counters file.
func FuzzBuild(f *testing.F) {
	const counters = "DCGM_FI_DEV_GPU_TEMP,gauge,\"a, b\"\n"
	for _, seed := range [][4]string{
		{"3.3.5-3.4.0", "dcgm-exporter\x00-f\x00own.csv", "1000", counters},
		{"", "sh\x00-c\x00exec dcgm-exporter -d 'g:0-1+i:7' -k", "", ""},
		{"4.0.0", "-f=own.csv\x00-d=g:9223372036854775807-9223372036854775807", "0x10", "# none\n\nDCGM_FI_DEV_XID_ERRORS,label,x\n"},
		{"2.0", "--collectors\x00own.csv\x00--kubernetes-pod-label-allowlist-regex=(", "-1", "DCGM_FI_DEV_GPU_TEMP,\"gauge,x\n\xff\x1b,,"},
		{"3.1", "-f\x00own.csv\x00-c\x00", "99999999999", "DCGM_EXP_XID_ERRORS_COUNT,gauge,x\x00\n" + counters},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	w := world(f)
	f.Fuzz(func(t *testing.T, version, args, interval, counters string) {
		setup := fakes.Setup{
			Version: version, Args: strings.Split(args, "\x00"), Env: map[string]string{"DCGM_EXPORTER_INTERVAL": interval},
			Files: map[string]string{"own.csv": counters},
		}
		e, err := Build(w, "box:9400", setup)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		at := start.Add(time.Hour)
		require.Equal(t, e.AppendScrape(nil, at), e.AppendScrape(nil, at))
	})
}

// FuzzReadDevices wants numbers that are written there, or stand between two that are, few of them, and none where nothing was said
// of all.
func FuzzReadDevices(f *testing.F) {
	for _, seed := range []string{"f", "g", "i", "g+i", "g:0,2-3+i:1", "g:3-1", "g:-1", "g:9223372036854775807", "g:9223372036854775800-9223372036854775807", "g:0-9999", "g:5--9223372036854775808", "g:+1", "f+g", "\x1b", "g:1,,2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := readDevices(text)
		if err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("%q: %q", text, err)
			}
			return
		}
		if d.flex != (text == "f") || d.flex == (d.gpus || d.instances) {
			t.Fatalf("%q is read as %+v", text, d)
		}
		ids := slices.Concat(d.gpuIDs, d.instanceIDs)
		if len(ids) > 64*(1+strings.Count(text, ",")+strings.Count(text, "+")) {
			t.Fatalf("%q: %d numbers", text, len(ids))
		}
		for _, id := range ids {
			if id < 0 {
				t.Fatalf("%q: a device of number %d", text, id)
			}
		}
		if !strings.Contains(text, "+") && strings.Contains(text, ":") && d.gpuIDs == nil && d.instanceIDs == nil {
			t.Fatalf("%q: some are meant, and all are read", text)
		}
	})
}
