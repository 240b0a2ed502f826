package stack

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/internal/material"
)

func all(string) bool { return true }

// notKept approves every job but those whose name begins with "keep".
func notKept(name string) bool { return !strings.HasPrefix(name, "keep") }

func TestHurried(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"empty":          {"", "global: {scrape_interval: 2s, evaluation_interval: 2s}\n"},
		"only a comment": {"# nothing", "# nothing\nglobal: {scrape_interval: 2s, evaluation_interval: 2s}\n"},
		"no global": {
			"# head\nscrape_configs:\n  - job_name: a # tail\n# end",
			"# head\nglobal: {scrape_interval: 2s, evaluation_interval: 2s}\nscrape_configs:\n  - job_name: a # tail\n# end",
		},
		"empty global": {
			"global: # later\n  # more\nscrape_configs: []\n",
			"global: {scrape_interval: 2s, evaluation_interval: 2s} # later\n  # more\nscrape_configs: []\n",
		},
		"null global":           {"global: ~ # x\n", "global: {scrape_interval: 2s, evaluation_interval: 2s} # x\n"},
		"null interval":         {"global:\n  scrape_interval:\n  evaluation_interval: 1s\n", "global:\n  scrape_interval: 2s\n  evaluation_interval: 1s\n"},
		"global in braces":      {"global: {}\n", "global: {scrape_interval: 2s, evaluation_interval: 2s}\n"},
		"nothing to shorten":    {"global: {scrape_interval: 1s, evaluation_interval: 2s}\n", "global: {scrape_interval: 1s, evaluation_interval: 2s}\n"},
		"quoted":                {"global: {\"scrape_interval\": \"15s\", 'evaluation_interval': '15s'}\n", "global: {\"scrape_interval\": 2s, 'evaluation_interval': 2s}\n"},
		"quoted key of nothing": {"\"global\" :\n", "\"global\" : {scrape_interval: 2s, evaluation_interval: 2s}\n"},
		"labels after": {
			"global:\n    scrape_interval:   1m30s   # slow\n    scrape_timeout: 45s\n    evaluation_interval: 1m\n    external_labels:\n        a: '1m30s'\n",
			"global:\n    scrape_interval:   2s   # slow\n    scrape_timeout: 2s\n    evaluation_interval: 2s\n    external_labels:\n        a: '1m30s'\n",
		},
		"only labels": {
			"global:\n  # who we are\n  external_labels: {a: b}\n",
			"global:\n  # who we are\n  scrape_interval: 2s\n  evaluation_interval: 2s\n  external_labels: {a: b}\n",
		},
		"CRLF": {
			"global:\r\n  external_labels: {a: b}\r\nscrape_configs:\r\n- job_name: keep\r\n",
			"global:\r\n  scrape_interval: 2s\r\n  evaluation_interval: 2s\r\n  external_labels: {a: b}\r\nscrape_configs:\r\n- scrape_interval: 1m\r\n  scrape_timeout: 10s\r\n  job_name: keep\r\n",
		},
		"byte order mark": {
			"\xef\xbb\xbfscrape_configs:\n  - job_name: a\n",
			"\xef\xbb\xbfglobal: {scrape_interval: 2s, evaluation_interval: 2s}\nscrape_configs:\n  - job_name: a\n",
		},
		"document start": {
			"%YAML 1.1\n---\n# c\nglobal:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n...\n",
			"%YAML 1.1\n---\n# c\nglobal:\n  scrape_interval: 2s\n  evaluation_interval: 2s\n...\n",
		},
		"jobs of their own": {
			`global: {scrape_interval: 15s, evaluation_interval: 1s}
scrape_configs:
  - job_name: inherits
  - job_name: slow
    scrape_interval: 1m
    scrape_timeout: 30s
  - job_name: fast
    scrape_interval: 1s
  - scrape_timeout: 5s # before its name
    job_name: timeout

  - job_name: keep-inherited # comment
    static_configs: [{targets: [a:1]}]
  - job_name: keep-timeout
    scrape_timeout: 5s
  - job_name: keep-interval
    scrape_interval: 1m
  - job_name: keep-both
    scrape_interval: 1m
    scrape_timeout: 50s
`,
			`global: {scrape_interval: 2s, evaluation_interval: 1s}
scrape_configs:
  - job_name: inherits
  - job_name: slow
    scrape_interval: 2s
    scrape_timeout: 2s
  - job_name: fast
    scrape_interval: 1s
  - scrape_timeout: 2s # before its name
    job_name: timeout

  - scrape_interval: 15s
    scrape_timeout: 10s
    job_name: keep-inherited # comment
    static_configs: [{targets: [a:1]}]
  - scrape_interval: 15s
    job_name: keep-timeout
    scrape_timeout: 5s
  - scrape_timeout: 10s
    job_name: keep-interval
    scrape_interval: 1m
  - job_name: keep-both
    scrape_interval: 1m
    scrape_timeout: 50s
`,
		},
		"flow style": {
			"{scrape_configs: [{job_name: keep, static_configs: [{targets: ['é:1']}]}, {job_name: 'é', scrape_interval: 1m}, { scrape_timeout: 3s , job_name: b}]}",
			"{global: {scrape_interval: 2s, evaluation_interval: 2s}, scrape_configs: [{scrape_interval: 1m, scrape_timeout: 10s, job_name: keep, static_configs: [{targets: ['é:1']}]}, {job_name: 'é', scrape_interval: 2s}, { scrape_timeout: 2s , job_name: b}]}",
		},
		"JSON": {
			"{\n  \"global\": {\"scrape_interval\": \"15s\"},\n  \"scrape_configs\": [{\"job_name\": \"a\"}]\n}\n",
			"{\n  \"global\": {evaluation_interval: 2s, \"scrape_interval\": 2s},\n  \"scrape_configs\": [{\"job_name\": \"a\"}]\n}\n",
		},
		"dash on a line of its own": {
			"scrape_configs:\n  -\n    job_name: keep\n  - # c\n    job_name: a\nglobal: {scrape_interval: 3s, evaluation_interval: 1s}\n",
			"scrape_configs:\n  -\n    scrape_interval: 3s\n    scrape_timeout: 3s\n    job_name: keep\n  - # c\n    job_name: a\nglobal: {scrape_interval: 2s, evaluation_interval: 1s}\n",
		},
		"anchored interval": {
			"global:\n  scrape_interval: &i 15s\n  evaluation_interval: *i\nscrape_configs:\n  - job_name: keep\n    scrape_interval: *i\n  - job_name: a\n    scrape_interval: *i\n",
			"global:\n  scrape_interval: &i 2s\n  evaluation_interval: 2s\nscrape_configs:\n  - scrape_timeout: 10s\n    job_name: keep\n    scrape_interval: 15s\n  - job_name: a\n    scrape_interval: 2s\n",
		},
		"merged job": {
			"global: {scrape_interval: 1s, evaluation_interval: 1s}\nscrape_configs:\n  - &base\n    job_name: a\n    scrape_interval: 1m\n  - <<: *base\n    job_name: keep\n  - scheme: https\n    <<: *base\n    # c\n    job_name: b\n",
			"global: {scrape_interval: 1s, evaluation_interval: 1s}\nscrape_configs:\n  - &base\n    job_name: a\n    scrape_interval: 2s\n  - <<: *base\n    scrape_interval: 1m\n    scrape_timeout: 1s\n    job_name: keep\n  - scheme: https\n    <<: *base\n    # c\n    scrape_interval: 2s\n    scrape_timeout: 1s\n    job_name: b\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Prometheus{File: "prometheus.yml", Content: []byte(tc.text)}
			got, err := p.Hurried(2*time.Second, notKept)
			require.NoError(t, err)
			assert.Equal(t, tc.want, string(got))
			equivalent(t, []byte(tc.text), got, 2*time.Second, notKept)
			assert.Equal(t, tc.text, string(p.Content), "the original is not written to")
		})
	}
}

func TestNotHurried(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"refused as it is":     {"global: {scrape_interval: never}\n", `not a valid duration string: "never"`},
		"not YAML":             {"a: [", "yaml"},
		"tagged":               {"global: {scrape_interval: !!str 1m}\n", "line 1: the value of scrape_interval is written in a way that is not edited"},
		"escaped":              {`global: {scrape_interval: "1\x6d"}`, "line 1: the value of scrape_interval is written in a way that is not edited"},
		"a null document":      {"---\n", "means something else"}, // it has not even Prometheus's defaults
		"key asked for":        {"scrape_configs:\n  - ? job_name\n    : keep\n", "the edited text"},
		"merged without words": {"scrape_configs:\n  - &b {job_name: a}\n  - {job_name: b, <<: *b}\n", "found multiple scrape configs"},
		"merge in braces":      {"scrape_configs:\n  - {job_name: a, <<: {scrape_interval: 1m}}\n", "ends in a merge"},
		"merged mapping":       {"scrape_configs:\n  - job_name: a\n    <<: {scrape_interval: 1m}\n", "ends in a merge"},
		"overridden by merge":  {"scrape_configs:\n  - scrape_interval: 1m\n    job_name: a\n    <<: {scrape_interval: 2m}\n    scrape_timeout: 1s\n", "means something else"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&Prometheus{File: "prometheus.yml", Content: []byte(tc.text)}).Hurried(2*time.Second, notKept)
			var notHurried *NotHurriedError
			require.ErrorAs(t, err, &notHurried)
			require.ErrorContains(t, err, "shorten the intervals of prometheus.yml: ")
			assert.ErrorContains(t, err, tc.want)
		})
	}
	_, err := (&Prometheus{}).Hurried(time.Second, all)
	require.ErrorContains(t, err, "was not read")
	_, err = (&Prometheus{Content: []byte{}}).Hurried(time.Microsecond, all)
	var notHurried *NotHurriedError
	require.Error(t, err)
	assert.NotErrorAs(t, err, &notHurried)
}

// A job of another file keeps its timeout, which Prometheus refuses beside a
// shorter interval that it inherits.
func TestHurriedJobFiles(t *testing.T) {
	for timeout, fails := range map[string]bool{"1s": false, "8s": true} {
		dir := t.TempDir()
		write(t, dir+"/prometheus.yml", "scrape_config_files: [more.yml]\n")
		write(t, dir+"/more.yml", "scrape_configs: [{job_name: a, scrape_timeout: "+timeout+"}]\n")
		s := load(t, dir)
		require.Empty(t, problems(s))
		_, err := s.Prometheus.Hurried(2*time.Second, all)
		assert.Equal(t, fails, err != nil, timeout)
	}
}

func TestHurriedShipped(t *testing.T) {
	s := load(t, material.ModuleRoot(t)+"/stack")
	got, err := s.Prometheus.Hurried(time.Second, all)
	require.NoError(t, err)
	lines, before := strings.Split(string(got), "\n"), strings.Split(string(s.Prometheus.Content), "\n")
	require.Len(t, lines, len(before))
	var changed []string
	for i := range lines {
		if lines[i] != before[i] {
			changed = append(changed, lines[i])
		}
	}
	assert.Equal(t, []string{"  scrape_interval: 1s", "  scrape_timeout: 1s", "  evaluation_interval: 1s"}, changed)
}

// equivalent compares what Prometheus makes of both texts, independently of how
// Hurried does it.
func equivalent(t *testing.T, before, after []byte, interval time.Duration, jobs func(string) bool) {
	t.Helper()
	was, err := parsePrometheus(before)
	require.NoError(t, err)
	is, err := parsePrometheus(after)
	require.NoError(t, err)
	span := func(d interface{ String() string }) time.Duration { return time.Duration(reflect.ValueOf(d).Int()) }
	require.LessOrEqual(t, span(is.GlobalConfig.ScrapeInterval), interval)
	require.LessOrEqual(t, span(is.GlobalConfig.EvaluationInterval), interval)
	require.Len(t, is.ScrapeConfigs, len(was.ScrapeConfigs))
	for i, sc := range is.ScrapeConfigs {
		old := was.ScrapeConfigs[i]
		if jobs(sc.JobName) {
			require.Equal(t, min(interval, span(old.ScrapeInterval)), span(sc.ScrapeInterval))
		} else {
			require.Equal(t, old.ScrapeInterval, sc.ScrapeInterval)
			require.Equal(t, old.ScrapeTimeout, sc.ScrapeTimeout)
		}
		require.LessOrEqual(t, span(sc.ScrapeTimeout), span(sc.ScrapeInterval))
		sc.ScrapeInterval, sc.ScrapeTimeout = old.ScrapeInterval, old.ScrapeTimeout
	}
	g := was.GlobalConfig
	is.GlobalConfig.ScrapeInterval, is.GlobalConfig.ScrapeTimeout, is.GlobalConfig.EvaluationInterval = g.ScrapeInterval, g.ScrapeTimeout, g.EvaluationInterval
	require.Equal(t, spelledOut(was).String(), spelledOut(is).String())
}

func FuzzHurried(f *testing.F) {
	for _, text := range []string{
		"", "global:\n", "global: {}\nscrape_configs: [{job_name: keep}, {job_name: a, scrape_interval: 1m}]",
		"scrape_configs:\r\n- job_name: keep\r\n  scrape_timeout: 3s\r\n", "---\n# x\n", "\xef\xbb\xbfglobal: ~",
		"global: {scrape_interval: &i 15s}\nscrape_configs: [&b {job_name: a, scrape_interval: *i}, {<<: *b, job_name: keep}]\n",
		"a: \x00", "? global\n: scrape_interval: 1m\n", "global:\n  external_labels: {a: 'é\u2028'}\n  scrape_timeout: 1s",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := (&Prometheus{Content: text}).Hurried(2*time.Second, notKept)
		if err == nil {
			equivalent(t, text, got, 2*time.Second, notKept)
		}
	})
}
