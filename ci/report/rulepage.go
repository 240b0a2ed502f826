package report

import (
	"path"
	"regexp"

	rulepages "github.com/panelgate/panelgate/docs/rules"
	"github.com/panelgate/panelgate/e2e/rule"
)

// ruleDocs is where the rules' pages can be read.
const ruleDocs = "https://github.com/panelgate/panelgate/blob/main/docs/rules/"

// rulePage is the address of a rule's page, "" of a rule that this version does not know.
func rulePage(id string) string {
	if _, known := rule.Lookup(id); !known {
		return ""
	}
	return ruleDocs + id + ".md"
}

// ruleHelp is a rule's page, with its links to other pages made absolute: it is read
// elsewhere.
func ruleHelp(id string) (string, error) {
	page, err := rulepages.Page(id)
	if err != nil {
		return "", err
	}
	link := regexp.MustCompile(`\]\(([a-z0-9_./-]+\.md)(#[a-z0-9-]*)?\)`)
	return link.ReplaceAllStringFunc(page, func(s string) string {
		m := link.FindStringSubmatch(s)
		return "](" + "https://github.com/panelgate/panelgate/blob/main/" + path.Join("docs/rules", path.Dir(id), m[1]) + m[2] + ")"
	}), nil
}
