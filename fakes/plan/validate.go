package plan

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/panelgate/panelgate/fakes/standard"
)

// Validate says what is wrong with a plan, and where in it.
func (p *Plan) Validate() error {
	switch year := p.Start.UTC().Year(); {
	case p.Version != Version:
		return fmt.Errorf("version is %d; this is version %d of the format", p.Version, Version)
	case p.Start.IsZero():
		return errors.New("start is missing")
	case year < 1970 || year > 9999:
		return fmt.Errorf("start is in the year %d; no scrape can be", year)
	case !utf8.ValidString(p.Scenario): // JSON could not carry it
		return errors.New("scenario: the text is not UTF-8")
	case len(p.Listeners) == 0:
		return errors.New("there are no listeners")
	}
	if _, err := p.world(); err != nil {
		return err
	}
	for i, address := range p.Addresses {
		if _, err := parseAddress(address); err != nil {
			return fmt.Errorf("addresses[%d]: %w", i, err)
		}
	}
	for i, l := range p.Listeners {
		if err := l.validate(); err != nil {
			return fmt.Errorf("listeners[%d]: %w", i, err)
		}
	}
	return p.checkOverlaps()
}

func parseAddress(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%q is no IP address", text)
	case addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast():
		return netip.Addr{}, fmt.Errorf("%s is no address that one machine can have", text)
	}
	return addr.Unmap(), nil
}

// checkOverlaps refuses two listeners that cannot both be: at one address, or at one port where one of them takes every address.
func (p *Plan) checkOverlaps() error {
	type taken struct {
		host  string
		index int
	}
	ports := map[int][]taken{}
	for i, l := range p.Listeners {
		host, port, err := splitAddress(l.Listen)
		if err != nil {
			return fmt.Errorf("listeners[%d]: listen: %w", i, err)
		}
		if port == 0 {
			continue
		}
		for _, other := range ports[port] {
			if host == other.host || host == "" || other.host == "" {
				return fmt.Errorf("listeners[%d]: %s and %s of listeners[%d] take the same port of the same address",
					i, l.Listen, p.Listeners[other.index].Listen, other.index)
			}
		}
		ports[port] = append(ports[port], taken{host, i})
	}
	return nil
}

// splitAddress takes an address to listen on apart. The host is "" where it stands for every address.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not of the form host:port", address)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%q: %q is no port number", address, text)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsUnspecified() {
			return "", port, nil
		}
		host = ip.Unmap().String()
	}
	return strings.ToLower(host), port, nil
}

func (l Listener) validate() error {
	if _, _, err := splitAddress(l.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	switch {
	case (l.Certificate == "") != (l.Key == ""):
		return errors.New("certificate and key go together; one of them is missing")
	case l.Forward != "" && len(l.Routes) > 0:
		return errors.New("it has both forward and routes; either passes on or answers")
	case l.Forward != "" && l.Certificate != "":
		return errors.New("forward passes connections on as they are; it takes no certificate")
	case l.Forward != "":
		return validateForward(l.Forward)
	case len(l.Routes) == 0:
		return errors.New("it has neither forward nor routes")
	}
	if l.Certificate != "" {
		if _, err := l.keyPair(); err != nil {
			return err
		}
	}
	return l.validateRoutes()
}

func validateForward(address string) error {
	host, port, err := splitAddress(address)
	switch {
	case err != nil:
		return fmt.Errorf("forward: %w", err)
	case host == "" || port == 0:
		return fmt.Errorf("forward: %q names no host and port to pass on to", address)
	}
	return nil
}

func (l Listener) validateRoutes() error {
	hosts := map[string]int{}
	for i, r := range l.Routes {
		switch {
		case !standard.Known(r.Exporter):
			return fmt.Errorf("routes[%d]: no exporter %q; there are %s", i, r.Exporter, strings.Join(standard.Names(), ", "))
		case r.Instance == "":
			return fmt.Errorf("routes[%d]: instance is missing", i)
		case strings.ContainsAny(r.Host, "/@ \t\r\n"):
			return fmt.Errorf("routes[%d]: %q is nothing that a Host header says", i, r.Host)
		}
		host := l.hostKey(r.Host)
		if other, twice := hosts[host]; twice {
			return fmt.Errorf("routes[%d]: host %q stands for the same as that of routes[%d]", i, r.Host, other)
		}
		hosts[host] = i
	}
	return nil
}

func (l Listener) keyPair() (tls.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(l.Certificate), []byte(l.Key))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate and key: %w", err)
	}
	return pair, nil
}
