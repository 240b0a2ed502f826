package env

import (
	"testing"

	"github.com/panelgate/panelgate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
