package embedded

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/value"
)

// outline is a scrape in the text format without its values: what the next one has most
// likely again, line for line. Comparing it is several times faster than parsing.
type outline struct {
	lines  []outlined
	values []float64 // of the scrape that is being read
}

// outlined is a line: a comment with its end, or the text of a series.
type outlined struct {
	text   string
	series bool
}

// isText says whether a scrape is in the text format, as which it is parsed then.
func isText(contentType string) bool { return strings.HasPrefix(contentType, "text/plain") }

// draw makes the outline of a scrape that was parsed, whose series came in order. One
// that has anything out of the way, such as timestamps, has none.
func (o *outline) draw(body []byte, order []*series) {
	o.lines = o.lines[:0]
	at := 0
	for line := range bytes.Lines(body) {
		if line[0] == '#' || line[0] == '\n' {
			o.lines = append(o.lines, outlined{text: string(line)})
			continue
		}
		if at >= len(order) || !bytes.HasPrefix(line, []byte(order[at].text)) || valueBehind(line, len(order[at].text)) == nil {
			o.lines = nil
			return
		}
		o.lines = append(o.lines, outlined{text: order[at].text, series: true})
		at++
	}
	if at != len(order) {
		o.lines = nil
	}
}

// read finds the values of a scrape; false where it is not as the outline has it, so
// that it has to be parsed.
func (o *outline) read(body []byte) bool {
	if len(o.lines) == 0 {
		return false
	}
	o.values = o.values[:0]
	for _, l := range o.lines {
		if len(body) < len(l.text) || string(body[:len(l.text)]) != l.text {
			return false
		}
		if !l.series {
			body = body[len(l.text):]
			continue
		}
		end := bytes.IndexByte(body, '\n')
		if end < 0 {
			return false
		}
		text := valueBehind(body[:end+1], len(l.text))
		v, err := strconv.ParseFloat(string(text), 64)
		if text == nil || err != nil {
			return false
		}
		if math.IsNaN(v) {
			v = math.Float64frombits(value.NormalNaN)
		}
		o.values = append(o.values, v)
		body = body[end+1:]
	}
	return len(body) == 0
}

// valueBehind is the value of a line behind its series, nil where there is more than one
// space and a plain number.
func valueBehind(line []byte, series int) []byte {
	if len(line) < series+3 || line[series] != ' ' || line[len(line)-1] != '\n' {
		return nil
	}
	text := line[series+1 : len(line)-1]
	if bytes.ContainsAny(text, " \t_pPxX") {
		return nil
	}
	return text
}
