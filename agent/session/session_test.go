package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/session"
	"github.com/heddle-go/heddle/sched"
)

func TestTheFirstCreatesAndTheOthersGet(t *testing.T) {
	var slot session.Slot[string]
	s := sched.Goroutines()
	require.Nil(t, slot.Get())

	v, created := slot.GetOrCreate(s)
	require.True(t, created)
	again, created := slot.GetOrCreate(s)
	require.False(t, created)
	require.Same(t, v, again)

	_, filled := v.Read()
	require.False(t, filled)
	v.Fill("value")
	value, filled := v.Read()
	require.True(t, filled)
	require.Equal(t, "value", value)
	_, ok := v.Ready().Recv()
	require.False(t, ok, "all who wait are woken")
}

func TestOnlyAHolderOfTheVariableRemovesIt(t *testing.T) {
	var slot session.Slot[string]
	s := sched.Goroutines()
	old, _ := slot.GetOrCreate(s)
	require.True(t, slot.Remove(old))
	require.False(t, slot.Remove(old), "it is gone")

	current, _ := slot.GetOrCreate(s)
	require.Greater(t, current.ID(), old.ID())
	require.False(t, slot.Remove(old), "a newer one has its place")
	require.Same(t, current, slot.Get())
}

func TestAVariableIsFilledOnce(t *testing.T) {
	var slot session.Slot[int]
	v, _ := slot.GetOrCreate(sched.Goroutines())
	v.Fill(1)
	require.PanicsWithValue(t, "session: variable 1 is filled twice", func() { v.Fill(2) })
}
