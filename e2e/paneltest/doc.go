// Package paneltest proves a Grafana stack kept as code from a Go test, with a subtest
// for each query of each panel. Three lines in a test file of your own are all:
//
//	func TestDashboards(t *testing.T) {
//		paneltest.Run(t, "../monitoring")
//	}
//
// The stack is run with its own prometheus.yml, in this process and with stand-ins for
// the exporters; nothing else is needed. The subtests are
//
//	TestDashboards/DASHBOARD/ROW/PANEL/REFID    what one query shows
//	TestDashboards/DASHBOARD/ROW/PANEL/panel    what is found of the panel as a whole
//	TestDashboards/DASHBOARD/dashboard          ... of the dashboard, its variables among it
//	TestDashboards/stack                        ... of everything else
//
// where the names are titles with everything but letters, digits, dots, hyphens and
// underscores made one underscore, and a panel outside of any row stands in no_row. So
// there are always the same levels, and any of them can be left open:
//
//	go test -run 'TestDashboards/Triton_Inference_Server//GPU_Temperature'
//
// narrows down what is told; the whole stack is asked all the same, so that it is no
// faster. [WithDashboards] narrows down what is asked.
//
// A subtest fails with the story of each finding, beginning with the place in the
// file. A query that nobody could ask, such as one of another datasource than
// Prometheus, is skipped with the reason. A panel that panelgate.yml expects to be empty
// passes when it is. A run that asked nothing fails.
//
// Run may be called by several tests, in parallel and by several packages at once. Its
// context is that of the test, and ends a little before go test's -timeout would.
// The option -short changes nothing: a run takes about a second.
//
// As of any test, go test remembers a pass until a file of the module changes. Where the
// stack lies outside of the module, -count=1 has it asked anew.
//
// Those who are not in a test have [e2e.Load] and [e2e.Verify].
package paneltest
