package e2e

import (
	"cmp"
	"context"

	"github.com/panelgate/panelgate/e2e/env"
	"github.com/panelgate/panelgate/e2e/env/attach"
	"github.com/panelgate/panelgate/e2e/hostport"
	"github.com/panelgate/panelgate/e2e/rule"
	"github.com/panelgate/panelgate/stack"
)

// takenPorts are the ports that `compose up` would publish here and cannot,
// because somebody has them. Services of a profile are not started by it.
func takenPorts(ctx context.Context, s *stack.Stack, instance env.Instance) []rule.TakenPort {
	if s.Compose == nil || instance.Name == attach.Name {
		return nil
	}
	var out []rule.TakenPort
	for _, svc := range s.Compose.Services {
		if len(svc.Profiles) > 0 || svc.NetworkHost {
			continue
		}
		for _, p := range svc.Ports {
			if p.Published == 0 || p.Protocol == "udp" || !hostport.Taken(ctx, p.HostIP, p.Published) {
				continue
			}
			taken := rule.TakenPort{Service: svc, Port: p, Holder: hostport.Holder(p.Published)}
			if instance.Holder != nil { // the engine knows, and this is a host for containers
				name, itself := instance.Holder(ctx, svc, p.Published)
				if itself {
					continue
				}
				taken.Holder, taken.Sure = cmp.Or(name, taken.Holder), true
			}
			out = append(out, taken)
		}
	}
	return out
}
