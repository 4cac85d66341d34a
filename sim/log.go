package sim

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/heddle-go/heddle/internal/kernel"
)

// Logger is what programs on this node log by. Nothing is made of their records, and nothing is spent on them beyond one question, unless
// somebody reads the log of the run, as heddle replay --log does: then they stand in its trace, in the course of the step in which they were
// logged, with the node, the task and virtual time. The time of the wall clock, that package slog gives each of them, is left out.
func (n *Node) Logger() *slog.Logger { return slog.New(logHandler{node: n}) }

// logHandler implements slog.Handler for a node.
type logHandler struct {
	node       *Node
	prefix     string                // the groups that are open, each with a dot
	attributes []kernel.LogAttribute // by WithAttrs
}

// Enabled implements slog.Handler.
func (h logHandler) Enabled(context.Context, slog.Level) bool { return h.node.world.kernel.Logging() }

// Handle implements slog.Handler.
func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	h.node.world.kernel.Log(func() kernel.LogRecord {
		attributes := slices.Clip(h.attributes)
		r.Attrs(func(a slog.Attr) bool {
			attributes = appendAttribute(attributes, h.prefix, a)
			return true
		})
		return kernel.LogRecord{Node: h.node.Name(), Level: r.Level.String(), Message: r.Message, Attributes: attributes}
	})
	return nil
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(list []slog.Attr) slog.Handler {
	k := h.node.world.kernel
	if !k.Logging() {
		return h
	}
	h.attributes = slices.Clip(h.attributes)
	k.Unseen(func() {
		for _, a := range list {
			h.attributes = appendAttribute(h.attributes, h.prefix, a)
		}
	})
	return h
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

// appendAttribute adds an attribute, or those of a group.
func appendAttribute(list []kernel.LogAttribute, prefix string, a slog.Attr) []kernel.LogAttribute {
	value := a.Value.Resolve()
	switch {
	case value.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, inside := range value.Group() {
			list = appendAttribute(list, prefix, inside)
		}
		return list
	case a.Equal(slog.Attr{}):
		return list
	}
	return append(list, kernel.LogAttribute{Key: prefix + a.Key, Value: attributeText(value)})
}

func attributeText(value slog.Value) string {
	switch value.Kind() {
	case slog.KindTime:
		return value.Time().Round(0).Format(time.RFC3339Nano)
	case slog.KindAny:
		return kernel.Describe(value.Any())
	}
	return fmt.Sprint(value.Any())
}
