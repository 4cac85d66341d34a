package choice

// ParseContent is the decoder behind the checksum, for fuzzing.
func ParseContent(content []byte) (Token, error) { return parseContent(content) }
