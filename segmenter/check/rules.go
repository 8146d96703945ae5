package check

// Rule is one thing that a stream is held to. Its number is of no meaning outside of one program; its name is.
type Rule uint8

// Level says who asks for a rule.
type Level uint8

// The levels. Sections of rfc8216bis are those of draft-pantos-hls-rfc8216bis-22; what "Appendix B.1" asks for is a must
// for streams of low latency alone.
const (
	Must   Level = iota // a specification does, or players are known to end over it
	Should              // a specification recommends it, or players are known to do badly without
	House               // this project does, of itself
)

// String is "must", "should" or "house".
func (l Level) String() string { return [...]string{"must", "should", "house"}[l] }

// The rules, in the order in which they are listed: header, segments, parts, versions, hints and reports, delta updates,
// delivery, renditions, multivariant playlist, bytes.
const (
	Syntax Rule = iota
	Version
	HeaderConstant
	TargetDurationConstant
	PartTargetConstant
	ServerControlConstant
	ServerControl
	PartHoldBack
	BlockReload
	PartInf
	IndependentSegments

	TargetDuration
	ExtInf
	ExtInfExact
	MapTag
	DateTime
	DateTimeOrder
	DateTimeSteps
	DateTimeExact
	EndList

	PartDuration
	PartShort
	PartSum
	PartSumExact
	PartLeaves
	PartStays
	Independent
	IndependentExact
	SyncWithinPart
	PartSamples
	PartBytes

	MediaSequence
	DiscontinuitySequence
	SegmentsVanish
	WindowShort
	Fresh
	Immutable
	OneName
	OneContent
	Gaps

	Hint
	HintMap
	Report
	ReportTrue

	SkipTag
	SkipBoundary
	DeltaAfterEnd
	DeltaEqual

	BlockingReload
	OldReload
	BadDirectives
	Available
	HintAnswer
	ContentType
	ErrorsUncached
	CrossOrigin
	Compressed
	HTTPVersion

	RenditionConstants
	RenditionDiscontinuities
	RenditionTimes
	RenditionNumbers

	StreamInf
	MediaTag
	Codecs
	CodecSpelling
	Resolution
	FrameRate
	Channels
	Bandwidth
	AverageBandwidth
	ClosedCaptions
	IndexConstant

	InitSegment
	InitHouse
	Fragments
	FragmentsHouse
	DecodeTime
	DecodeTimeExact
	SequenceNumber
	SampleFlags
	SampleFlagsExact
	AVCSamples
	AVCInit
	Opus

	ruleCount
)

// info is what a rule is called, where it is written, and what it says.
type info struct {
	name, section string
	level         Level
	says          string
}

// Name is short, of small letters and dashes, and stays.
func (r Rule) Name() string { return rules[r].name }

// Section is where the rule is written: the document and its section.
func (r Rule) Section() string { return rules[r].section }

// Level says who asks for it.
func (r Rule) Level() Level { return rules[r].level }

// Says is the rule in one sentence without a full stop.
func (r Rule) Says() string { return rules[r].says }

// String is the name with the section: "part-target (rfc8216bis 4.4.4.9)".
func (r Rule) String() string { return r.Name() + " (" + r.Section() + ")" }

// Rules lists all, in their order.
func Rules() []Rule {
	all := make([]Rule, ruleCount)
	for i := range all {
		all[i] = Rule(i)
	}
	return all
}
