package e2e_test

import (
	"context"
	"fmt"
	"log"
	"path"

	"github.com/panelgate/panelgate/e2e"
	"github.com/panelgate/panelgate/e2e/rule"
)

// A stack is read, run and asked, and what is found is told.
func Example() {
	ctx := context.Background()
	for _, dir := range []string{"paneltest/testdata/whole", "paneltest/testdata/broken"} {
		loaded, err := e2e.Load(ctx, e2e.Source{Dir: dir})
		if err != nil {
			log.Fatal(err)
		}
		report, err := e2e.Verify(ctx, loaded.Stack, loaded.Options)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(path.Base(dir), "fails:", report.Fails(rule.Error))
		for _, q := range report.Queries {
			fmt.Printf("  %s %s: %s\n", q.Panel.Title.Value, q.Target.RefID.Value, q.Status)
		}
		for _, f := range report.Findings {
			if f.Severity == rule.Error {
				fmt.Printf("  %s:%d: %s: %s\n", path.Base(f.Pos.File), f.Pos.Line, f.Rule, f.Fix)
			}
		}
	}
	// Output:
	// whole fails: false
	//   CPU busy A: ok
	//   GPU busy (%) A: ok
	// broken fails: true
	//   CPU busy A: ok
	//   Kernel log A: unchecked
	//   GPU busy (%) A: failed
	//   GPU busy [%] A: failed
	//   Throttled A: expected_empty
	//   gpu-hosts.json:46: datasource/uid-unknown: set uid "metrics", which is datasource "Metrics"
	//   gpu-hosts.json:38: panel/no-data: write DCGM_FI_DEV_GPU_UTIL, if that is what is meant
}

// Lint reads the files alone, in milliseconds.
func ExampleLint() {
	loaded, err := e2e.Load(context.Background(), e2e.Source{Dir: "paneltest/testdata/broken"})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range e2e.Lint(loaded.Stack, loaded.Options).Findings {
		if f.Severity == rule.Error {
			fmt.Println(f.Rule, "in panel", f.Panel)
		}
	}
	// Output:
	// datasource/uid-unknown in panel GPU busy [%]
}
