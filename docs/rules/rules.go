// Package rules holds the rule pages, so that the command can print them.
package rules

import (
	"embed"
	"fmt"
)

//go:embed */*.md
var pages embed.FS

// Page is the documentation of a rule, in Markdown.
func Page(id string) (string, error) {
	data, err := pages.ReadFile(id + ".md")
	if err != nil {
		return "", fmt.Errorf("read the page of %s: %w", id, err)
	}
	return string(data), nil
}

// URL is where the page of a rule can be read by whoever has no copy of it.
func URL(id string) string {
	return "https://github.com/panelgate/panelgate/blob/main/docs/rules/" + id + ".md"
}
