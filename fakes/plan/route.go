package plan

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/panelgate/panelgate/fakes"
	"github.com/panelgate/panelgate/fakes/standard"
)

// router sends a request to the exporter that its Host header asks for.
type router struct {
	listener Listener
	byHost   map[string]http.Handler
	others   http.Handler // for hosts that are not in byHost; nil where they are nobody's
}

func newRouter(l Listener, w *fakes.World) (*router, error) {
	rt := &router{listener: l, byHost: map[string]http.Handler{}}
	for _, r := range l.Routes {
		exporter, err := standard.ByName(r.Exporter, r.Instance, w, r.Setup)
		if err != nil {
			return nil, err
		}
		handler := w.Behind(exporter.Name(), exporter.Handler(time.Now), time.Now)
		if r.Host == "" || len(l.Routes) == 1 {
			rt.others = handler
		}
		if r.Host != "" {
			rt.byHost[l.hostKey(r.Host)] = handler
		}
	}
	return rt, nil
}

func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := rt.others
	if exact, ok := rt.byHost[rt.listener.hostKey(r.Host)]; ok {
		handler = exact
	}
	if handler == nil {
		http.Error(w, fmt.Sprintf("fakes: nobody answers for Host %q here; known are %s", r.Host, strings.Join(rt.hosts(), ", ")), http.StatusNotFound)
		return
	}
	handler.ServeHTTP(w, r)
}

func (rt *router) hosts() []string {
	var hosts []string
	for _, r := range rt.listener.Routes {
		hosts = append(hosts, r.Host)
	}
	slices.Sort(hosts)
	return hosts
}

// hostKey makes Host headers that mean the same equal: without regard to case and to how an IPv6 address is spelled, and with the
// scheme's port where a scraper left it out. "" stays "".
func (l Listener) hostKey(host string) string {
	if host == "" {
		return ""
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	switch {
	case port == "" && l.Certificate != "":
		port = "443"
	case port == "":
		port = "80"
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		name = ip.String()
	}
	return net.JoinHostPort(strings.ToLower(name), port)
}
