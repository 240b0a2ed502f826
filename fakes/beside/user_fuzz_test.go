//go:build unix

package beside

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLookUp has a container's image say anything of its users: who is found is listed,
// or a number, and a name that is in no line is never somebody.
func FuzzLookUp(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/sh\ngrafana:x:472:0:g:/home/grafana:/bin/false\n", "docker:x:999:grafana\n", "grafana:docker")
	f.Add("a:x:1:many::/:\n", "", "a")
	f.Add(":x:0:0:::", "x", ":")
	f.Add("a:x:4294967296:0:::\r\na:x:-1:0:::", "b:x:1:a,,a", "4294967295")
	f.Fuzz(func(t *testing.T, passwd, group, user string) {
		root := t.TempDir()
		if err := os.Mkdir(filepath.Join(root, "etc"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"passwd": passwd, "group": group} {
			if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		id, err := lookUp(root, user)
		if err != nil {
			return
		}
		if id.home == "" {
			t.Fatalf("%q is at home nowhere", user)
		}
		name, _, _ := strings.Cut(user, ":")
		if _, numeric := parseID(name); name != "" && !numeric && !strings.Contains(passwd, name+":") {
			t.Fatalf("%q is somebody, and not listed", name)
		}
	})
}
