package recording

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/klauspost/compress/zstd"
)

// head is the first line of the stream.
type head struct {
	URL      string   `json:"url,omitempty"`
	EveryMS  int64    `json:"every_ms,omitempty"`
	Redacted []string `json:"redacted,omitempty"`
}

// entry is the line before a scrape's body; the last entry has End and nothing else.
type entry struct {
	At     int64       `json:"at_ms,omitempty"` // since the epoch
	Status int         `json:"status,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Bytes  int         `json:"bytes,omitempty"`
	End    bool        `json:"end,omitempty"`
}

// window is how far back a scrape is looked for that is much the same: some scrapes of the largest exporters. A reader needs as much
// memory.
const window = 16 << 20

// Write writes a recording. One that is not valid is not written.
func (r *Recording) Write(w io.Writer) error {
	if err := r.Validate(Limits{}); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	if err := r.write(w); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

func (r *Recording) write(w io.Writer) (err error) {
	if _, err := fmt.Fprintf(w, "%s%d\n", magic, Version); err != nil {
		return err
	}
	// SpeedBetterCompression finds the scrape before this one in a body of some hundred kilobytes; the faster levels do not.
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	out := bufio.NewWriter(z)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(head{r.URL, r.Every.Milliseconds(), r.Redacted}); err != nil {
		return err
	}
	for i := range r.Scrapes {
		s := &r.Scrapes[i]
		if err := lines.Encode(entry{At: milliseconds(s.At), Status: s.Status, Header: s.Header, Bytes: len(s.Body)}); err != nil {
			return err
		}
		if _, err := out.Write(s.Body); err != nil {
			return err
		}
		if err := out.WriteByte('\n'); err != nil {
			return err
		}
	}
	if err := lines.Encode(entry{End: true}); err != nil {
		return err
	}
	return out.Flush()
}

func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
