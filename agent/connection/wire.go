package connection

import (
	"encoding/json"
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
)

// contentKind is what a message between two sides is.
type contentKind string

const (
	confirmation contentKind = "confirmation"
	hello        contentKind = "hello"
	application  contentKind = "message"
)

// content is a message between two sides, as it travels. Numbers count up from 1 in each direction; a confirmation is number 1.
type content struct {
	Number int64            `json:"number"`
	Kind   contentKind      `json:"kind"`
	Key    protocol.AuthKey `json:"key,omitempty"`   // of a confirmation: the sender's, for all that comes from him
	Reply  *protocol.Link   `json:"reply,omitempty"` // of the first confirmation: where he is to be answered
	Body   []byte           `json:"body,omitempty"`  // the application's
}

func (c content) encode() []byte {
	bytes, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("connection: a message cannot be encoded: %v", err)) // none of its types can fail
	}
	return bytes
}

// decode reads what encode wrote. The error says in one line what is wrong.
func decode(bytes []byte) (c content, err error) {
	if err = json.Unmarshal(bytes, &c); err != nil {
		return c, fmt.Errorf("it cannot be read: %w", err)
	}
	switch {
	case c.Number < 1:
		return c, fmt.Errorf("its number is %d: want 1 or more", c.Number)
	case c.Kind == confirmation && (c.Number != 1 || c.Key == ""):
		return c, fmt.Errorf("a confirmation has number %d and a key of %d bytes: want number 1 and a key", c.Number, len(c.Key))
	}
	return c, nil
}
