package truth

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStageOfWords(t *testing.T) {
	for _, tc := range []struct {
		title, legend string
		want          part
	}{
		{"Queue Delay", "{{model}}", queueTime},
		{"Average Queuing Time per Request", "", queueTime},
		{"Latency Breakdown", "Input", inputTime},
		{"Input and Output Latency", "{{model}} output", outputTime},
		{"Input and Output Latency", "{{input}}", unknown},
		{"Compute Latency", "", inferTime},
		{"Latency Breakdown", "Inference", inferTime},
		{"Inference latency", "", unknown},
		{"E2E Request Latency", "", requestTime},
		{"Time from end to end", "", requestTime},
		{"Postprocessing", "", unknown},
	} {
		assert.Equal(t, tc.want, wordsOf(Panel{Title: tc.title, Legend: tc.legend}).stage(), "%q %q", tc.title, tc.legend)
	}
}

func TestTimeScaleOfWords(t *testing.T) {
	for title, want := range map[string]float64{
		"Queue Time (milliseconds)": 1e3, "Queue Time (ms)": 1e3, "Average Queue Time by Pod (microseconds)": 1e6, "Latency [µs]": 1e6, "Latency in us": 1e6,
		"Duration (s)": 1, "Duration in seconds": 1, "Requests": 0, "Status": 0, "Latency (ns)": 1e9,
	} {
		assert.InDelta(t, want, wordsOf(Panel{Title: title}).timeScale(), 1e-9, title)
	}
}

func TestStatisticsAreNoMeans(t *testing.T) {
	for title, want := range map[string]bool{"p99 latency": true, "95th percentile": true, "Max GPU temperature": true, "SLO": true, "Slowest queue": false, "Maxwell GPU": false} {
		assert.Equal(t, want, wordsOf(Panel{Title: title}).statistical(), title)
	}
}

func TestPrefixesStandForOneAnother(t *testing.T) {
	assert.Equal(t, unitOf("mbytes").prefixes(), unitOf("decmbytes").prefixes())
	assert.Equal(t, []float64{1}, unitOf("bytes").prefixes())
	assert.Equal(t, kindOther, unitOf("currencyUSD").kind)
}
