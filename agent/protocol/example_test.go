package protocol_test

import (
	"fmt"

	"github.com/heddle-go/heddle/agent/protocol"
)

// A link says where somebody can send to: text on its way, and a router and a queue for who has it.
func ExampleParseLink() {
	link, err := protocol.ParseLink("hash@smp.example.org,example.onion:5223#6c656d6f6e000000000000000000000000000000000000ff")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(link.Router.FirstHost(), link.Router.Port)
	fmt.Println(link.Sender)
	_, err = protocol.ParseRouter("smp.example.org")
	fmt.Println(err)
	// Output:
	// smp.example.org 5223
	// 6c656d6f6e000000000000000000000000000000000000ff
	// router "smp.example.org" has no key hash: want keyhash@host,host:port
}

// The class of an error decides whether what failed is tried again.
func ExampleClassify() {
	for _, err := range []error{
		&protocol.Error{Kind: protocol.Timeout},
		fmt.Errorf("subscribing: %w", &protocol.Error{Kind: protocol.Protocol, Code: protocol.CodeAuth}),
		&protocol.Error{Kind: protocol.NoService},
	} {
		fmt.Printf("%v: %v\n", err, protocol.Classify(err))
	}
	// Output:
	// timeout error: temporary
	// subscribing: protocol error AUTH: permanent
	// service unavailable error: service
}

// The figures of a service tell whether agent and router agree on its queues, without a list of them: the order in which they came and went
// makes no difference.
func ExampleServiceSub() {
	one, two, three := protocol.QueueID{1}, protocol.QueueID{2}, protocol.QueueID{3}
	agent := protocol.ServiceSub{}.With(one).With(two)
	router := protocol.ServiceSub{}.With(three).With(two).Without(three).With(one)
	fmt.Println(agent.Count, agent == router)
	fmt.Println(agent == router.With(three))
	// Output:
	// 2 true
	// false
}
