package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode"
)

// formats are those that a document is written in.
func formats() map[string]writer {
	return map[string]writer{
		"text": painted, "markdown": Markdown, "junit": JUnit, "sarif": SARIF, "code quality": CodeQuality, "annotations": Annotations, "json": JSON, "stream": everyEvent,
	}
}

// everyEvent writes all events of a document.
func everyEvent(w io.Writer, d *Document) error {
	events := NewNDJSON(w)
	for e := range d.Events() {
		if err := events.Emit(e); err != nil {
			return err
		}
	}
	return nil
}

// inAllFormats writes what was read, whoever wrote it, and looks for what a terminal
// would be steered by.
func inAllFormats(t *testing.T, d *Document) {
	for name, write := range formats() {
		var out bytes.Buffer
		if err := write(&out, d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unsafe(t, out.Bytes())
	}
}

func seeds(f *testing.F, write writer) {
	for _, d := range []*Document{fullDocument(), everything()} {
		var out bytes.Buffer
		if err := write(&out, d); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
		f.Add(out.Bytes()[:out.Len()/2])
	}
	f.Add([]byte(`{"schema_version":1,"verdict":"pass"}`))
	f.Add([]byte(`null`))
}

func FuzzRead(f *testing.F) {
	seeds(f, JSON)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read the ") {
				t.Fatalf("%v does not say what was done", err)
			}
			return
		}
		inAllFormats(t, d)
		var once, twice bytes.Buffer
		if err := JSON(&once, d); err != nil {
			t.Fatal(err)
		}
		again, err := Read(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := JSON(&twice, again); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("%v: written and read again, it is\n%s\nand was\n%s", err, twice.Bytes(), once.Bytes())
		}
	})
}

func FuzzReadEvents(f *testing.F) {
	seeds(f, everyEvent)
	f.Fuzz(func(t *testing.T, data []byte) {
		ends := 0
		d, err := ReadEvents(bytes.NewReader(data), func(e Event) {
			if e.End != nil {
				ends++
			}
		})
		if err == nil && ends != 1 {
			t.Fatalf("a stream with %d ends is taken for a verdict", ends)
		}
		if err == nil {
			inAllFormats(t, d)
		}
	})
}

// Whatever two files hold that are taken for the shards of a run, they make a whole of
// which each is a part, or none.
func FuzzMerge(f *testing.F) {
	var written [2][]byte
	for i, told := range shards() {
		var out bytes.Buffer
		if err := JSON(&out, told.Document); err != nil {
			f.Fatal(err)
		}
		written[i] = out.Bytes()
	}
	f.Add(written[0], written[1])
	f.Add(written[0], written[0])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var told []Told
		for _, data := range [][]byte{a, b} {
			d, err := Read(bytes.NewReader(data))
			if err != nil {
				return
			}
			told = append(told, Told{From: "f", Document: d})
		}
		whole, err := Merge(told)
		if err != nil {
			return
		}
		for _, part := range told {
			if part.Verdict == Failed {
				t.Fatal("a shard that could not run is merged into a verdict")
			}
			if part.Verdict == Fail && whole.Verdict == Pass {
				t.Fatal("a shard fails, and the whole passes")
			}
		}
		numbers := map[int]bool{told[0].Shard.Number: true, told[1].Shard.Number: true}
		if len(numbers) != told[0].Shard.Of || len(numbers) != told[1].Shard.Of {
			t.Fatalf("shards %v of %d and %d make a whole", numbers, told[0].Shard.Of, told[1].Shard.Of)
		}
		inAllFormats(t, whole)
	})
}

// No line of a log is a command to the runner behind Disarm.
func FuzzDisarm(f *testing.F) {
	f.Add([]byte("::error::x\n##[group]y\n a ::b:: c\r::stop-commands::z\n\u00a0\u3000::x"))
	f.Fuzz(func(t *testing.T, log []byte) {
		for line := range bytes.SplitSeq(bytes.ReplaceAll(Disarm(log), []byte("\r"), []byte("\n")), []byte("\n")) {
			line = bytes.TrimLeftFunc(line, unicode.IsSpace)
			if bytes.HasPrefix(line, []byte("::")) || bytes.HasPrefix(line, []byte("##[")) {
				t.Fatalf("%q is a command", line)
			}
		}
	})
}
