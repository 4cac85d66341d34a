package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/store/sqlite"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/examples/group/loopback"
	"github.com/heddle-go/heddle/sched"
)

// hostName is what the host is called, in the group that it founds.
const hostName group.MemberID = "host"

// memberName is how the host calls its i-th member.
func memberName(i int) group.MemberID { return group.MemberID(fmt.Sprint("member-", i)) }

// waiting is how often a file, or a link, is looked for.
const waiting = 10 * time.Millisecond

func hostCommand(ctx context.Context, flags *flag.FlagSet, arguments []string, out, errs io.Writer) error {
	var s settings
	s.flags(flags)
	members := flags.Int("members", 3, "how many `members` it invites: member-1, member-2 and so on")
	if err := parse(flags, arguments, "store", "router", "invitations"); err != nil {
		return err
	}
	if *members < 0 {
		return wrongUsage{fmt.Errorf("--members is %d: want 0 or more", *members)}
	}
	return run(ctx, s, out, errs, func(p *process) error { return p.host(ctx, *members) })
}

func memberCommand(ctx context.Context, flags *flag.FlagSet, arguments []string, out, errs io.Writer) error {
	var s settings
	s.flags(flags)
	name := flags.String("name", "", "its `name` in the group")
	if err := parse(flags, arguments, "store", "router", "invitations", "name"); err != nil {
		return err
	}
	return run(ctx, s, out, errs, func(p *process) error { return p.member(ctx, group.MemberID(*name)) })
}

// process is a host or a member.
type process struct {
	settings
	store *sqlite.Store
	agent *group.Agent[*sqlite.Tx]
}

// run goes on from the store, lets the user do what he does, and ends with the context.
func run(ctx context.Context, s settings, out, errs io.Writer, user func(*process) error) (err error) {
	smallConfig, config, err := s.parsed()
	if err != nil {
		return err
	}
	scheduler, wall := sched.Goroutines(), clock.Wall()
	p := &process{settings: s}
	if p.store, err = sqlite.Open(scheduler, s.store, ""); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	small, err := agent.New(agent.Environment{
		Scheduler: scheduler, Clock: wall, Dialer: loopback.Dialer[[]protocol.Request, []protocol.Response]{},
	}, smallConfig)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(errs, nil))
	p.agent, err = group.Start(group.Environment{
		Scheduler: scheduler, Clock: wall, Small: small, Observer: groupLog{log}, Connections: connectionLog{log}, Commands: commandLog{log},
	}, config, p.store)
	if err != nil {
		small.Close()
		return err
	}
	log.Info("started")
	told := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	go func() { told <- p.tell(ctx, out) }()
	if err = user(p); err == nil {
		<-ctx.Done()
	}
	cancel()
	err = errors.Join(err, <-told)
	small.Close()
	p.agent.Close()
	return err
}

// tell says what is in the store whenever that is new.
func (p *process) tell(ctx context.Context, out io.Writer) error {
	var last []byte
	for {
		r, err := reportOf(p.store)
		if err != nil {
			return err
		}
		if line := r.encode(); !bytes.Equal(line, last) {
			if _, err := out.Write(line); err != nil {
				return err
			}
			last = line
		}
		if clock.Wall().Sleep(ctx, p.report) != nil {
			return nil
		}
	}
}

// update asks for something that may be there already, from before the process was killed.
func (p *process) update(f func(*command.Change[*sqlite.Tx]) error) error {
	err := p.agent.Update(f)
	if errors.Is(err, group.ErrKnown) {
		return nil
	}
	return err
}

// host founds the group, invites its members and hands out their invitations.
func (p *process) host(ctx context.Context, members int) error {
	if err := p.update(func(c *command.Change[*sqlite.Tx]) error { return p.agent.Found(c, theGroup, hostName) }); err != nil {
		return err
	}
	for i := range members {
		if err := p.update(func(c *command.Change[*sqlite.Tx]) error { return p.agent.Invite(c, theGroup, memberName(i+1)) }); err != nil {
			return err
		}
	}
	for i := range members {
		if err := p.handOut(ctx, memberName(i+1)); err != nil {
			return err
		}
	}
	return nil
}

// handOut puts a member's invitation into the folder as soon as there is one, whole: who finds it can read it.
func (p *process) handOut(ctx context.Context, member group.MemberID) error {
	for {
		var i group.Invitation
		found := false
		err := p.store.View(func(tx *sqlite.Tx) (err error) {
			i, found, err = group.InvitationFor(tx, theGroup, member)
			return err
		})
		if err != nil {
			return err
		}
		if found {
			text, err := json.Marshal(i)
			if err != nil {
				return err
			}
			unfinished := p.invitationOf(member) + ".unfinished"
			if err := os.WriteFile(unfinished, text, 0o600); err != nil {
				return err
			}
			return os.Rename(unfinished, p.invitationOf(member))
		}
		if clock.Wall().Sleep(ctx, waiting) != nil {
			return nil
		}
	}
}

func (p *process) invitationOf(member group.MemberID) string {
	return filepath.Join(p.invitations, string(member)+".json")
}

// member joins the group as soon as it is invited.
func (p *process) member(ctx context.Context, name group.MemberID) error {
	for {
		text, err := os.ReadFile(p.invitationOf(name))
		switch {
		case err == nil:
			var i group.Invitation
			if err := json.Unmarshal(text, &i); err != nil {
				return fmt.Errorf("%s: %w", p.invitationOf(name), err)
			}
			return p.update(func(c *command.Change[*sqlite.Tx]) error { return p.agent.Accept(c, i) })
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
		if clock.Wall().Sleep(ctx, waiting) != nil {
			return nil
		}
	}
}
