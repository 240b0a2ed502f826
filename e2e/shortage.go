package e2e

import (
	"fmt"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/rule"
)

// shortage is why some question could not even be asked, where this process has run out
// of descriptors or the like; nil where it has not. That is no finding about the stack.
func shortage(live *rule.Live) error {
	var errs []error
	for _, a := range live.Asked {
		errs = append(errs, a.Err)
	}
	for _, v := range live.Variables {
		errs = append(errs, v.Err)
	}
	for _, err := range live.Health {
		errs = append(errs, err)
	}
	for _, err := range errs {
		if env.Shortage(err) {
			return fmt.Errorf("this machine does not let the stack be asked (ulimit -n says how many files a process may open): %w", err)
		}
	}
	return nil
}
