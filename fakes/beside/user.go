package beside

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// identity is who a program runs as.
type identity struct {
	uid, gid uint32
	groups   []uint32 // besides gid
	home     string
}

// lookUp finds a user as engines do, in the passwd and group files of the container's own: "" is root, a number need not be listed.
func lookUp(root, user string) (identity, error) {
	name, group, _ := strings.Cut(user, ":")
	if name == "" {
		name = "0"
	}
	id, err := findUser(root, name)
	if err != nil {
		return id, err
	}
	if group == "" {
		return id, id.addGroups(root, name)
	}
	id.groups = nil // who names a group has that one alone
	id.gid, err = findGroup(root, group)
	return id, err
}

func findUser(root, name string) (identity, error) {
	number, numeric := parseID(name)
	id := identity{uid: number, home: "/"}
	found := false
	err := eachLine(filepath.Join(root, "etc/passwd"), 7, func(f []string) error {
		uid, ok := parseID(f[2])
		if found || !ok || f[0] != name && (!numeric || uid != number) {
			return nil
		}
		gid, ok := parseID(f[3])
		if !ok {
			return fmt.Errorf("user %s has the group %q in /etc/passwd", f[0], f[3])
		}
		id, found = identity{uid: uid, gid: gid, home: cmp.Or(f[5], "/")}, true
		return nil
	})
	if err == nil && !found && !numeric {
		err = fmt.Errorf("unable to find user %s: no matching entries in passwd file", name)
	}
	return id, err
}

// addGroups adds the groups that a user is a member of. Who is not listed is in none.
func (id *identity) addGroups(root, name string) error {
	names := []string{name}
	err := eachLine(filepath.Join(root, "etc/passwd"), 7, func(f []string) error {
		if uid, ok := parseID(f[2]); ok && uid == id.uid {
			names = append(names, f[0])
		}
		return nil
	})
	if err != nil {
		return err
	}
	return eachLine(filepath.Join(root, "etc/group"), 4, func(f []string) error {
		gid, ok := parseID(f[2])
		member := slices.ContainsFunc(strings.Split(f[3], ","), func(m string) bool { return m != "" && slices.Contains(names, m) })
		if ok && member && gid != id.gid {
			id.groups = append(id.groups, gid)
		}
		return nil
	})
}

func findGroup(root, group string) (uint32, error) {
	if n, numeric := parseID(group); numeric {
		return n, nil
	}
	found, at := false, uint32(0)
	err := eachLine(filepath.Join(root, "etc/group"), 3, func(f []string) error {
		if gid, ok := parseID(f[2]); ok && f[0] == group && !found {
			found, at = true, gid
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("unable to find group %s: no matching entries in group file", group)
	}
	return at, err
}

func parseID(text string) (uint32, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err == nil //nolint:gosec // it has 32 bits
}

// eachLine hands over the fields of each line that has as many. A file that is not there has no lines.
func eachLine(file string, fields int, do func(fields []string) error) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if split := strings.Split(lines.Text(), ":"); len(split) >= fields {
			if err := do(split); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
