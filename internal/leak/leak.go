// Package leak fails the tests of a package that leave goroutines behind. Every
// package of the project with tests has a TestMain that goes through it.
package leak

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests, and ends the process with an exit code that is not 0
// where they fail or where goroutines outlive them.
func Main(m *testing.M) { os.Exit(Checked{m}.Run()) }

// Checked are the tests of a package, and the look at what is left of them: for a
// TestMain that has more to do than to run them.
type Checked struct{ M *testing.M }

// Run runs the tests and returns the exit code of their process. What is left is
// looked for after tests that pass only: those that fail leave things half way.
func (c Checked) Run() int {
	code := c.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(Ignored()...); err != nil {
		fmt.Fprintf(os.Stderr, "the tests pass, and leave goroutines behind: %v\n", err)
		return 1
	}
	return 0
}

// Ignored are the goroutines of libraries that have no way of ending them. Idle
// connections of HTTP are not among them: whoever opens one closes it.
func Ignored() []goleak.Option {
	return []goleak.Option{
		// Testcontainers keeps a connection to its reaper for as long as the process
		// lives: that the connection ends is how the reaper learns that it is to clean up.
		goleak.IgnoreAnyFunction("github.com/testcontainers/testcontainers-go.(*Reaper).connect.func1"),
	}
}
