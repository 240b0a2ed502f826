package rule

import (
	"fmt"

	"github.com/panelgate/panelgate/stack"
)

// dashboardUIDDuplicate finds dashboards that Grafana cannot tell apart: it then
// stops writing the dashboards of the providers concerned.
func dashboardUIDDuplicate() Rule {
	return Rule{
		ID:       "dashboard/uid-duplicate",
		Severity: Error,
		Summary:  "two provisioned dashboards share a uid, or a title in one folder",
		Static: func(in *Static) []Finding {
			c := &clashes{chosen: map[*stack.Board]bool{}, twice: map[[2]*stack.Provider]int{}}
			for _, b := range in.Boards {
				c.chosen[b.Board] = true
			}
			first := map[identity]*stack.Board{}
			for _, b := range in.Stack.Dashboards {
				if served(b.Dashboard) {
					c.compare(first, b)
				}
			}
			return c.found
		},
	}
}

// identity is what may occur only once: a uid in an organisation, or a title in
// one of its folders.
type identity struct {
	org                           int64
	uid, folder, folderUID, title string
}

func identities(b *stack.Board) (byUID, byTitle identity) {
	var org int64
	folderUID := ""
	if p := b.Provider; p != nil {
		org = p.OrgID
		if !p.FoldersFromFilesStructure {
			folderUID = p.FolderUID.Value
		}
	}
	return identity{org: org, uid: b.UID.Value},
		identity{org: org, folder: b.Folder, folderUID: folderUID, title: b.Title.Value}
}

type clashes struct {
	chosen map[*stack.Board]bool
	// twice says where in found the finding about two providers of the same files is.
	twice map[[2]*stack.Provider]int
	found []Finding
}

// compare reports what b shares with a board before it, the uid rather than the
// title, and notes b for those to come.
func (c *clashes) compare(first map[identity]*stack.Board, b *stack.Board) {
	byUID, byTitle := identities(b)
	sameUID, sameTitle := first[byUID], first[byTitle]
	if b.UID.Value != "" && sameUID == nil {
		first[byUID] = b
	}
	if b.Title.Value != "" && sameTitle == nil {
		first[byTitle] = b
	}
	switch {
	case sameUID != nil && sameUID.File == b.File:
		c.sameFile(sameUID, b)
	case sameUID != nil:
		f := onBoard(b.Dashboard, b.UID.Pos)
		f.Message = fmt.Sprintf("uid %q is taken by dashboard %q: Grafana serves one of the two, and no longer updates the dashboards of their providers",
			b.UID.Value, sameUID.Title.Value)
		f.Evidence = []string{fmt.Sprintf("the first stands at %s", sameUID.UID.Pos)}
		f.Fix = fmt.Sprintf("give dashboard %q a uid of its own", b.Title.Value)
		c.add(f, sameUID, b)
	case sameTitle != nil && sameTitle.File != b.File:
		f := onBoard(b.Dashboard, b.Title.Pos)
		f.Message = fmt.Sprintf("title %q is taken in folder %q: Grafana no longer updates the dashboards of their providers",
			b.Title.Value, folderTitle(b))
		f.Evidence = []string{fmt.Sprintf("the first stands at %s", sameTitle.Title.Pos)}
		f.Fix = "give one of the two another title, or another folder"
		c.add(f, sameTitle, b)
	}
}

func (c *clashes) add(f Finding, first, second *stack.Board) {
	if c.chosen[first] || c.chosen[second] {
		c.found = append(c.found, f)
	}
}

// sameFile reports two providers that find the same files, once for all of them.
func (c *clashes) sameFile(first, second *stack.Board) {
	if !c.chosen[first] && !c.chosen[second] {
		return
	}
	pair := [2]*stack.Provider{first.Provider, second.Provider}
	i, known := c.twice[pair]
	if !known {
		i = len(c.found)
		c.twice[pair] = i
		f := onBoard(second.Dashboard, second.Provider.Path.Pos)
		f.Message = fmt.Sprintf("provider %q reads files that provider %q reads already: Grafana counts each dashboard twice and no longer updates those of either",
			second.Provider.Name.Value, first.Provider.Name.Value)
		f.Evidence = []string{fmt.Sprintf("the first provider's path stands at %s", first.Provider.Path.Pos)}
		f.Fix = "give each provider a path of its own, outside of the other's"
		c.found = append(c.found, f)
	}
	c.found[i].Evidence = append(c.found[i].Evidence, "read twice: "+second.File)
}

func folderTitle(b *stack.Board) string {
	if b.Folder == "" {
		return "General"
	}
	return b.Folder
}
