package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store/sqlite"
	"github.com/heddle-go/heddle/sched"
)

// theGroup is the group that the processes make.
const theGroup group.ID = "group"

// report is what a store knows of the group.
type report struct {
	Me, Host group.MemberID
	Status   string // empty: it knows none
	Members  []memberReport
	// What is left to do.
	Commands, Events, Continuations []string
}

type memberReport struct {
	ID          group.MemberID
	Status      string
	Connected   map[string]bool
	Error       string                      `json:",omitempty"`
	Connections map[string]connectionReport // by "group" or "direct"; those that are there
}

type connectionReport struct {
	Status string
	Router string
	Queue  string `json:",omitempty"` // in which its messages arrive; empty: there is none yet
}

// showCommand says what is in the store of a process that is not running.
func showCommand(_ context.Context, flags *flag.FlagSet, arguments []string, out, _ io.Writer) error {
	file := flags.String("store", "", "the `file` of a host or a member that is not running")
	if err := parse(flags, arguments, "store"); err != nil {
		return err
	}
	if _, err := os.Stat(*file); err != nil { // it would be made
		return err
	}
	kept, err := sqlite.Open(sched.Goroutines(), *file, "")
	if err != nil {
		return err
	}
	r, err := reportOf(kept)
	if failed := kept.Close(); err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// reportOf reads a store.
func reportOf(kept command.Store[*sqlite.Tx]) (r report, err error) {
	err = kept.View(func(tx *sqlite.Tx) error {
		g, found, err := tx.Group(theGroup)
		if err != nil {
			return err
		}
		r = report{Me: g.Me, Host: g.Host}
		if found {
			r.Status = g.Status.String()
		}
		for last := int64(0); ; {
			m, found, err := tx.NextMember(theGroup, last)
			if err != nil {
				return err
			}
			if !found {
				return r.work(tx)
			}
			last = m.Row
			if err := r.member(tx, m); err != nil {
				return err
			}
		}
	})
	return r, err
}

func (r *report) member(tx *sqlite.Tx, m group.Member) error {
	x := memberReport{ID: m.ID, Status: m.Status.String(), Error: m.Error, Connected: map[string]bool{}, Connections: map[string]connectionReport{}}
	for i, is := range m.Connected {
		which := group.Which(i)
		name, id := which.String(), group.ConnectionOf(theGroup, m.ID, which)
		x.Connected[name] = is
		c, found, err := tx.Connection(id)
		if err != nil {
			return err
		}
		if found {
			x.Connections[name] = connectionReportOf(c)
		}
		waiting, err := tx.ContinuationsOf(id)
		if err != nil {
			return err
		}
		for _, k := range waiting {
			r.Continuations = append(r.Continuations, fmt.Sprintf("%s for %s waits for %s of %s", k.Kind, k.Member, k.Expects, k.Connection))
		}
	}
	r.Members = append(r.Members, x)
	return nil
}

func connectionReportOf(c connection.Connection) connectionReport {
	r := connectionReport{Status: c.Status.String(), Router: c.Router.String()}
	if c.Recipient != (protocol.QueueID{}) {
		r.Queue = c.Recipient.String()
	}
	return r
}

// work reads what is left to do.
func (r *report) work(tx *sqlite.Tx) error {
	keys, err := tx.Keys()
	if err != nil {
		return err
	}
	var last command.Connection
	for _, key := range keys {
		if key.Connection == last { // with another router
			continue
		}
		last = key.Connection
		commands, err := tx.CommandsOf(key.Connection)
		if err != nil {
			return err
		}
		for _, c := range commands {
			r.Commands = append(r.Commands, fmt.Sprintf("%s of %s", c.Kind, c.Key))
		}
	}
	events, err := tx.NextEvents(0, 1<<16)
	for _, e := range events {
		r.Events = append(r.Events, fmt.Sprintf("%s of %s", e.Kind, e.Connection))
	}
	return err
}

// encode is the report in one line.
func (r report) encode() []byte {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(r); err != nil {
		panic(fmt.Sprintf("group: a report cannot be encoded: %v", err)) // none of its types can fail
	}
	return line.Bytes()
}
