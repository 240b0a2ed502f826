// Package e2e is the proof: it runs a stack somewhere, asks every question of
// every panel as Grafana would ask it, and says why an answer is missing.
//
// In a Go test, [github.com/panelgate/panelgate/e2e/paneltest] makes subtests of it.
// Anything else reads a stack, proves it and does with the report what it likes:
//
//	loaded, err := e2e.Load(ctx, e2e.Source{Dir: "../monitoring"})
//	if err != nil {
//		return err // there is no stack, or panelgate.yml is not understood
//	}
//	report, err := e2e.Verify(ctx, loaded.Stack, loaded.Options)
//	if err != nil {
//		return err // the stack could not be run
//	}
//	if report.Fails(rule.Error) {
//		... // report.Findings say what is wrong with it, gravest first
//	}
//
// What is wrong with the stack is never an error but a finding: [rule.Finding] has the
// rule, the place in the files, what was seen and why, and
// [github.com/panelgate/panelgate/e2e/story] tells it as the command does.
//
// [Verify] starts everything it needs and stops it before it returns; several may run
// at once. [Lint] looks at the files alone. A [Session] keeps one embedded Prometheus
// for many variants of a stack.
package e2e
