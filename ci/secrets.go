package main

import (
	"fmt"
	"regexp"

	"github.com/panelgate/panelgate/e2e/story"
)

// secretName is what a variable of a server is called that holds a secret. One that names
// a file of it does not.
var secretName = regexp.MustCompile(`(?i)(password|passwd|secret|token|api_?key|secret_?key|private_?key|credentials?)$`)

// refuseSecrets refuses settings of a command line that hold a secret: it is seen by
// everybody on the machine. By the variable they may come.
func refuseSecrets(settings map[string]map[string]string) error {
	twin := envName("setting")
	for service, variables := range settings {
		for name, value := range variables {
			if secretName.MatchString(name) && value != "" || story.Hide(value) != value {
				return fmt.Errorf("%s:%s: a secret on the command line would be seen by everybody on this machine: set %s=%s:%s=… in the environment", service, name, twin, service, name)
			}
		}
	}
	return nil
}
