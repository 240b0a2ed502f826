package stack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The roles that a service of the compose file can have.
const (
	RolePrometheus = "prometheus"
	RoleGrafana    = "grafana"
)

// Option changes how a stack is loaded.
type Option func(*loader)

// WithService takes the compose file's service of this name for the role,
// RolePrometheus or RoleGrafana, instead of the one that is found by its image,
// its command or its port.
func WithService(role, name string) Option {
	return func(l *loader) { l.roles[role] = name }
}

// WithContent reads provisioning files and dashboards as if they held something
// else, by their absolute paths without symbolic links: what a change of them would
// come to can be seen before it is made.
func WithContent(files map[string][]byte) Option {
	return func(l *loader) { l.content = files }
}

// WithFormer takes over from a stack that was loaded before what its dashboard files
// held, for those that hold the same now: the two then share each *dashboard.Dashboard,
// by which who keeps more of it knows that nothing of it has changed.
func WithFormer(former *Stack) Option {
	return func(l *loader) { l.former = former.read }
}

// ErrService is in the error of Load where WithService names what is not there.
var ErrService = errors.New("no such service")

// checkRoles refuses a role or a service that there is none of. Where the
// compose file could not be read, that is a problem of the stack already.
func (l *loader) checkRoles() error {
	for _, role := range slices.Sorted(maps.Keys(l.roles)) {
		name := l.roles[role]
		if role != RolePrometheus && role != RoleGrafana {
			return fmt.Errorf("%w: no role is called %q, there are %s and %s", ErrService, role, RoleGrafana, RolePrometheus)
		}
		if l.stack.Compose == nil {
			return fmt.Errorf("%w: %q for %s, and the stack has no compose file", ErrService, name, role)
		}
		if l.chosen(role) == nil && len(l.stack.Compose.Services) > 0 {
			return fmt.Errorf("%w: %q for %s; the compose file has %s", ErrService, name, role, strings.Join(l.stack.Compose.names(), ", "))
		}
	}
	return nil
}

// chosen is the service that an option names for the role, nil without one.
func (l *loader) chosen(role string) *Service {
	name, ok := l.roles[role]
	if !ok || l.stack.Compose == nil {
		return nil
	}
	i := slices.IndexFunc(l.stack.Compose.Services, func(s *Service) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return l.stack.Compose.Services[i]
}

// names are the services in file order.
func (c *Compose) names() []string {
	var out []string
	for _, s := range c.Services {
		out = append(out, s.Name)
	}
	return out
}
