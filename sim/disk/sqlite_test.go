package disk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/disk"
)

func TestWhatWasCommittedSurvivesTheLossOfPower(t *testing.T) {
	for name, pragmas := range map[string]string{"wal": wal, "rollback": rollback} {
		t.Run(name, func(t *testing.T) {
			failed, ledger := counting{pragmas: pragmas, crashes: 3, rows: 8}.runs(t, 30, "power-cut", "torn-write")
			require.Nil(t, failed)
			for _, fault := range []string{"power-cut", "torn-write"} {
				require.NotZero(t, ledger[fault].Effect, fault)
			}
			t.Log(ledger)
		})
	}
}

func TestErrorsLeaveTheDatabaseIntact(t *testing.T) {
	for name, pragmas := range map[string]string{"wal": wal, "rollback": rollback} {
		t.Run(name, func(t *testing.T) {
			failed, ledger := counting{pragmas: pragmas, crashes: 3, rows: 8}.runs(t, 30, disk.Faults()...)
			require.Nil(t, failed)
			t.Log(ledger)
		})
	}
}
