package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// row is what one contestant took.
type row struct {
	name    string
	usage   usage
	asked   string // queries put to Prometheus, and of how many
	verdict string // what its exit says
	note    string // why there are no figures, or what they do not hold
}

// usage is what processes used, from start to exit.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes of memory; 0 where the system does not tell
}

// and is the usage of two that run beside each other: the wall time is the caller's to say.
func (u usage) and(v usage, wall time.Duration) usage {
	return usage{wall: wall, cpu: u.cpu + v.cpu, peak: u.peak + v.peak}
}

// printTable prints the table in Markdown, so that it can be pasted.
func printTable(out io.Writer, rows []row) error {
	var b strings.Builder
	b.WriteString("| | wall time | CPU time | peak memory | queries asked | verdict |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		wall, cpu, peak := "", "", ""
		if r.usage.wall > 0 {
			wall, cpu = seconds(r.usage.wall), seconds(r.usage.cpu)
		}
		if r.usage.peak > 0 {
			peak = fmt.Sprintf("%d MB", r.usage.peak/1e6)
		}
		if r.note != "" {
			r.verdict = strings.TrimPrefix(r.verdict+"; "+r.note, "; ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.name, wall, cpu, peak, r.asked, strings.ReplaceAll(r.verdict, "|", "\\|"))
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
