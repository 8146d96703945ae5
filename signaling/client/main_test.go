package client

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing that a test began may run when all are over.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
