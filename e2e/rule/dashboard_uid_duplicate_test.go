package rule

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/panelgate/panelgate/stack"
)

const secondBoard = "grafana/provisioning/dashboards/boards/zz.json"

func TestDashboardUIDDuplicate(t *testing.T) {
	second := func(content string) func(*fixture) {
		return func(f *fixture) { f.write(secondBoard, content) }
	}
	provider := func(path, folder string) func(*fixture) {
		return func(f *fixture) {
			f.write("grafana/provisioning/dashboards/more.yaml", `apiVersion: 1
providers:
  - name: more
    folder: `+folder+`
    options:
      path: `+path+"\n")
		}
	}
	checkCases(t, dashboardUIDDuplicate(), []ruleCase{
		{name: "a uid twice", edit: second(`{"title": "Other", "uid": "triton", "panels": []}`),
			want: []expected{{file: secondBoard, at: `"triton"`, says: `taken by dashboard "Triton Inference Server"`,
				evidence: boardFile + ":", fix: `"Other"`}}},
		{name: "a title twice in one folder", edit: second(`{"title": "Triton Inference Server", "uid": "b", "panels": []}`),
			want: []expected{{file: secondBoard, at: `"Triton Inference Server"`, says: `taken in folder "Triton"`, evidence: boardFile + ":"}}},
		{name: "both twice is one finding", edit: second(`{"title": "Triton Inference Server", "uid": "triton", "panels": []}`),
			want: []expected{{file: secondBoard, at: `"triton"`, says: `uid "triton"`}}},
		{name: "one provider's path inside of another's", edit: provider("/etc/grafana/provisioning/dashboards", "Other"),
			want: []expected{{file: "grafana/provisioning/dashboards/more.yaml", at: "/etc/grafana/provisioning/dashboards", says: "reads files that provider",
				evidence: "read twice: " + boardFile, fix: "a path of its own"}}},
		{name: "two without a uid", edit: second(`{"title": "Other", "panels": []}`)},
		{name: "uids that differ in case", edit: second(`{"title": "Other", "uid": "Triton", "panels": []}`)},
		{name: "one that Grafana does not read", edit: second(`{"dashboard": {"title": "Other", "uid": "triton", "panels": []}}`)},
		{name: "a title in another folder", edit: func(f *fixture) {
			provider("/etc/grafana/provisioning/dashboards/other", "Other")(f)
			f.write("grafana/provisioning/dashboards/other/a.json", `{"title": "Triton Inference Server", "uid": "b", "panels": []}`)
		}},
	})
}

func TestDashboardUIDDuplicateOfChosenBoards(t *testing.T) {
	f := shipped(t).write(secondBoard, `{"title": "Other", "uid": "triton", "panels": []}`)
	s := f.static().Stack
	only := func(name string) []Finding {
		in := NewStatic(s, func(b *stack.Board) bool { return strings.HasSuffix(b.File, name) }, time.Unix(0, 0))
		return dashboardUIDDuplicate().Static(in)
	}
	require.Len(t, only("triton.json"), 1, "the other one of the two is not chosen")
	require.Len(t, only("zz.json"), 1)
	assert.Empty(t, only("none of them"))
}
