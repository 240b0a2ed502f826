package report

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// fingerprints know a finding again in a later run: they are made from what it is
// about and not from where that stands, so that a line above it, or another panel,
// changes none. Of findings that are alike all but the first are numbered.
type fingerprints struct {
	checkout Checkout
	digits   *regexp.Regexp
	seen     map[string]int
}

func (d *Document) fingerprints() *fingerprints {
	return &fingerprints{checkout: d.Checkout, digits: regexp.MustCompile(`[0-9]+`), seen: map[string]int{}}
}

// of is the fingerprint of the next finding. They have to be asked for in one order.
func (p *fingerprints) of(f Finding) string {
	panel := strconv.FormatInt(f.PanelID, 10)
	if f.PanelID == 0 {
		panel = "titled " + f.Panel
	}
	parts := []string{f.Rule, p.checkout.name(f.File), f.Dashboard, panel, f.RefID, f.Subject, f.Expr}
	if f.PanelID == 0 && f.Panel == "" && f.Subject == "" && f.Expr == "" {
		// What is wrong in prometheus.yml is told apart by what is said of it. Ports,
		// counts and lines in it differ from run to run.
		parts = append(parts, p.digits.ReplaceAllString(f.Message, "#"))
	}
	key := strings.Join(parts, "\x00")
	n := p.seen[key]
	p.seen[key]++
	if n > 0 {
		key += "\x00" + strconv.Itoa(n)
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
