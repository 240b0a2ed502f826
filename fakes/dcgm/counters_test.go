package dcgm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/fakes"
)

func TestCountersFileIsReadAsTheRealOneReadsIt(t *testing.T) {
	for _, tc := range []struct {
		name, version, csv string
		order              []string
		message            string // of the error, "" for none
	}{
		{
			name: "comments, blank lines, blanks around columns", version: "4.8.2",
			csv:   "# a comment, with commas\n\nDCGM_FI_DEV_DEC_UTIL ,     gauge, Decoder\n\n DCGM_FI_DEV_SM_CLOCK,gauge,\"SM, really\"\n",
			order: []string{"DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_DEC_UTIL"},
		},
		{
			name: "only the first of a field", version: "4.8.2",
			csv:   "DCGM_FI_DEV_SM_CLOCK,gauge,a\ndcgm_sm_clock,gauge,b\n",
			order: []string{"DCGM_FI_DEV_SM_CLOCK"},
		},
		{
			name: "old names, in the file's order", version: "3.1.8-3.1.5",
			csv:   "dcgm_gpu_temp,gauge,a\ndcgm_sm_clock,gauge,b\n",
			order: []string{"dcgm_gpu_temp", "dcgm_sm_clock"},
		},
		{
			name: "an unknown field", version: "4.8.2",
			csv:     "# c\nDCGM_FI_DEV_SM_CLOCK,gauge,a\nDCGM_FI_DEV_GPU_UTILS,gauge,b\n",
			message: `own.csv:3: DCGM has no field "DCGM_FI_DEV_GPU_UTILS"; dcgm-exporter does not start with it; did you mean DCGM_FI_DEV_GPU_UTIL?`,
		},
		{
			name: "a comma in a help", version: "4.8.2",
			csv:     "DCGM_FI_DEV_SM_CLOCK,gauge,a\nDCGM_FI_DEV_MEM_CLOCK,gauge,b, c\n",
			message: "own.csv:2: 4 columns",
		},
		{name: "a column too few", version: "4.8.2", csv: "\nDCGM_FI_DEV_SM_CLOCK,gauge\n", message: "own.csv:2: 2 columns"},
		{
			name: "a comment that does not begin its line", version: "4.8.2",
			csv:     "DCGM_FI_DEV_SM_CLOCK,gauge,a\n  # b\n",
			message: "own.csv:2: dcgm-exporter does not start: wrong number of fields",
		},
		{
			name: "a quote in the middle", version: "4.8.2",
			csv:     "DCGM_FI_DEV_SM_CLOCK,gauge,a \"b\"\n",
			message: "own.csv:1: dcgm-exporter does not start: bare",
		},
		{
			name: "no such type", version: "4.8.2",
			csv:     "DCGM_FI_DEV_SM_CLOCK,guage,a\n",
			message: `own.csv:1: DCGM_FI_DEV_SM_CLOCK: "guage" is no type`,
		},
		{name: "types are written small", version: "4.8.2", csv: "DCGM_FI_DEV_SM_CLOCK,Gauge,a\n", message: `"Gauge" is no type`},
		{name: "labels since 2.4.6", version: "2.3.1-2.6.0", csv: "DCGM_FI_DRIVER_VERSION,label,a\n", message: `"label" is no type`},
		{
			name: "own metrics since they are there", version: "3.2.6-3.1.9",
			csv:     "DCGM_EXP_XID_ERRORS_COUNT,gauge,a\n",
			message: "is there since 3.3.5-3.4.1; dcgm-exporter 3.2.6-3.1.9 does not start with it",
		},
		{name: "health since 4.0.0", version: "3.3.9", csv: "DCGM_EXP_GPU_HEALTH_STATUS,gauge,a\n", message: "is there since 4.0.0"},
		{
			name: "own metrics come last", version: "4.8.2",
			csv:   "DCGM_EXP_XID_ERRORS_COUNT,gauge,a\nDCGM_FI_PROF_SM_ACTIVE,gauge,b\n",
			order: []string{"DCGM_FI_PROF_SM_ACTIVE", "DCGM_EXP_XID_ERRORS_COUNT"},
		},
		{name: "nothing at all", version: "4.8.2", csv: "# nothing\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			setup := fakes.Setup{Version: tc.version, Args: []string{"--collectors", "own.csv"}, Files: map[string]string{"own.csv": tc.csv}}
			if tc.message != "" {
				_, err := Build(world(t), "box", setup)
				require.ErrorContains(t, err, tc.message)
				return
			}
			_, s := scrapeOf(t, world(t), setup)
			assert.Equal(t, tc.order, s.Order)
		})
	}
	_, err := Build(world(t), "box", fakes.Setup{Args: []string{"-f", "/etc/other.csv"}})
	require.ErrorContains(t, err, "counters file /etc/other.csv: its contents are not known")
}

func TestOwnHelpTypeAndLabels(t *testing.T) {
	csv := "DCGM_FI_DEV_SM_CLOCK,counter,\"clock, so fast\"\nDCGM_FI_DEV_SERIAL,label,x\nDCGM_FI_DEV_COUNT,label,x\nDCGM_FI_DEV_VGPU_TYPE_INFO,gauge,nothing\n"
	body, s := scrapeOf(t, world(t), fakes.Setup{Env: map[string]string{"DCGM_EXPORTER_COLLECTORS": "/c.csv"}, Files: map[string]string{"/c.csv": csv}})
	assert.Contains(t, body, "# HELP DCGM_FI_DEV_SM_CLOCK clock, so fast\n# TYPE DCGM_FI_DEV_SM_CLOCK counter\n")
	assert.Regexp(t, `,DCGM_FI_DEV_COUNT="2",DCGM_FI_DEV_SERIAL="\d{13}"\} \d+\n`, body)
	assert.Equal(t, []string{"DCGM_FI_DEV_SM_CLOCK"}, s.Order)
}

func TestTextAsValueIsWrittenAsText(t *testing.T) {
	setup := fakes.Setup{Args: []string{"-f", "c"}, Files: map[string]string{"c": "DCGM_FI_DEV_NAME,gauge,a name is no number\n"}}
	body := string(build(t, world(t), setup).AppendScrape(nil, start))
	assert.True(t, strings.HasSuffix(body, "} NVIDIA L4\n"), body)
}

func TestNamedMapInPlaceOfTheFile(t *testing.T) {
	setup := fakes.Setup{Args: []string{"-m", "gpu:metrics"}, Files: map[string]string{"gpu:metrics": "DCGM_FI_DEV_FB_TOTAL,gauge,all of it\n"}}
	_, s := scrapeOf(t, world(t), setup)
	assert.Equal(t, []string{"DCGM_FI_DEV_FB_TOTAL"}, s.Order)
}
