package recording

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/panelgate/panelgate/fakes/exposition"
)

// Redact replaces the values of labels: everywhere the same value by the same other one of its shape, so that joins still join and a
// GPU's UUID still looks like one. What was replaced is looked for in all other label values, in headers and in the URL as well. HELP
// texts are left alone. The key of the replacements is drawn for each recording and kept nowhere.
func (r *Recording) Redact(labels []string) error {
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return fmt.Errorf("redact the recording: %w", err)
	}
	return r.redact(labels, key[:])
}

func (r *Recording) redact(labels []string, key []byte) error {
	if len(labels) == 0 {
		return nil
	}
	red := &redactor{labels: labels, key: key, byValue: map[string]string{}, taken: map[string]bool{}}
	for i := range r.Scrapes {
		if err := red.collect(r.Scrapes[i].Body); err != nil {
			return fmt.Errorf("redact scrape %d: %w", i+1, err)
		}
	}
	red.choose()
	for i := range r.Scrapes {
		s := &r.Scrapes[i]
		body, err := red.body(s.Body)
		if err != nil {
			return fmt.Errorf("redact scrape %d: %w", i+1, err)
		}
		s.Body = body
		for _, values := range s.Header {
			for j, v := range values {
				values[j] = red.within(v)
			}
		}
	}
	if r.URL != "" {
		// Where it was scraped tells of the machine as much as any label.
		u, err := url.Parse(r.URL)
		if err != nil {
			return fmt.Errorf("redact the URL: %w", err)
		}
		u.Host, u.Path = "redacted", red.within(u.Path)
		r.URL = u.String()
	}
	r.Redacted = slices.Compact(slices.Sorted(slices.Values(append(r.Redacted, labels...))))
	return nil
}

// redactor replaces values.
type redactor struct {
	labels  []string
	key     []byte
	secrets []string // what is replaced, longest first
	byValue map[string]string
	taken   map[string]bool
}

// collect notes the values of the labels in a scrape.
func (r *redactor) collect(body []byte) error {
	lines, err := exposition.Parse(body)
	if err != nil {
		return err
	}
	for _, line := range lines {
		for _, label := range line.Labels {
			// The absence of a value is no secret.
			if label.Value != "" && slices.Contains(r.labels, label.Name) && !r.taken[label.Value] {
				r.taken[label.Value] = true // a replacement shall not be another secret
				r.secrets = append(r.secrets, label.Value)
			}
		}
	}
	return nil
}

// choose finds a replacement for each of the values: none of them twice, none of them a secret or with one in it.
func (r *redactor) choose() {
	slices.SortFunc(r.secrets, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for _, secret := range r.secrets {
		for try := 0; ; try++ {
			// A value like "0" has few others of its shape: those that find none grow.
			shape := secret + strings.Repeat("0", try/16)
			other := reshape(shape, newStream(r.key, secret, try))
			if !r.taken[other] && (try > 1000 || !r.holdsSecret(other)) {
				r.byValue[secret], r.taken[other] = other, true
				break
			}
		}
	}
}

// telling is from how many bytes on a value is looked for within others: a shorter one stands in half of all words.
const telling = 4

func (r *redactor) holdsSecret(s string) bool {
	return slices.ContainsFunc(r.secrets, func(secret string) bool { return len(secret) >= telling && strings.Contains(s, secret) })
}

// value is what stands in place of the value of any label.
func (r *redactor) value(v string) string {
	if other, ok := r.byValue[v]; ok {
		return other
	}
	return r.within(v)
}

// within replaces the secrets within a text.
func (r *redactor) within(v string) string {
	var b strings.Builder
	for v != "" {
		i := slices.IndexFunc(r.secrets, func(secret string) bool { return len(secret) >= telling && strings.HasPrefix(v, secret) })
		if i >= 0 {
			b.WriteString(r.byValue[r.secrets[i]])
			v = v[len(r.secrets[i]):]
			continue
		}
		b.WriteByte(v[0])
		v = v[1:]
	}
	return b.String()
}

// body is a scrape with its label values replaced; everything else stays as printed.
func (r *redactor) body(body []byte) ([]byte, error) {
	lines, err := exposition.Parse(body)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, line := range lines {
		text := line.Text
		switch line.Kind {
		case exposition.Comment:
			text = r.within(text)
		case exposition.Sample:
			text = r.sample(&line)
		case exposition.Help, exposition.Type, exposition.Unit, exposition.End:
		}
		out.WriteString(text)
		if i < len(lines)-1 || bytes.HasSuffix(body, []byte("\n")) {
			out.WriteByte('\n')
		}
	}
	return out.Bytes(), nil
}

// sample is a sample's line. Its braces are left as they are where nothing in them is replaced.
func (r *redactor) sample(line *exposition.Line) string {
	changed := false
	name := exposition.NameText(line.Name)
	var braces []string
	if name != line.Name { // a name in quotes stands within the braces
		braces, name = append(braces, name), ""
	}
	for _, label := range line.Labels {
		value := r.value(label.Value)
		changed = changed || value != label.Value
		braces = append(braces, exposition.NameText(label.Name)+"="+exposition.Quote(value))
	}
	rest := line.Rest
	if before, exemplar, ok := strings.Cut(rest, "#"); ok { // whose labels are ids of traces and the like
		rest = before + "#" + r.within(exemplar)
	}
	series := line.Series
	if changed {
		series = name + "{" + strings.Join(braces, ",") + "}"
	}
	return series + " " + line.Value + rest
}

// uuid is what GPUs, pods and hosts are known by: its digits are hexadecimal.
func uuid() *regexp.Regexp {
	return regexp.MustCompile(`^(?i)((?:GPU|MIG|CPU)-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(.*)$`)
}

// reshape makes another value of the same shape: a letter for a letter, a digit for a digit, and the prefix of a UUID kept.
func reshape(v string, s *stream) string {
	if m := uuid().FindStringSubmatch(v); m != nil {
		return m[1] + strings.Map(func(c rune) rune {
			switch {
			case c == '-':
				return c
			case unicode.IsUpper(c):
				return unicode.ToUpper(s.hex())
			}
			return s.hex()
		}, m[2]) + strings.Map(s.other, m[3])
	}
	if ip, err := netip.ParseAddr(v); err == nil && ip.Is4() {
		return fmt.Sprintf("10.%d.%d.%d", s.below(256), s.below(256), s.below(256))
	}
	return strings.Map(s.other, v)
}

// stream is a source of numbers that follow from a key and a value.
type stream struct {
	key   []byte
	seed  string
	block int
	left  []byte
}

func newStream(key []byte, value string, try int) *stream {
	return &stream{key: key, seed: fmt.Sprintf("%d %s", try, value)}
}

func (s *stream) below(n int) int {
	if len(s.left) < 4 {
		mac := hmac.New(sha256.New, s.key)
		mac.Write(fmt.Appendf(nil, "%d %s", s.block, s.seed))
		s.block++
		s.left = mac.Sum(nil)
	}
	v := binary.LittleEndian.Uint32(s.left)
	s.left = s.left[4:]
	return int(v % uint32(n)) //nolint:gosec // n is small
}

func (s *stream) hex() rune { return rune("0123456789abcdef"[s.below(16)]) }

// other is another letter of the kind. What is no letter and no digit keeps the words of a name apart, and stays.
func (s *stream) other(c rune) rune {
	switch {
	case c >= '0' && c <= '9':
		return '0' + rune(s.below(10))
	case unicode.IsUpper(c):
		return 'A' + rune(s.below(26))
	case unicode.IsLetter(c):
		return 'a' + rune(s.below(26))
	}
	return c
}
