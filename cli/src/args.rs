//! Arguments, with help that teaches.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Weir guards LLM traffic inside the service mesh. This command checks and tries its policies.
#[derive(Parser)]
#[command(
    name = "weir",
    version,
    after_help = "Exit codes: 0 good, 1 bad (errors in a policy, a test that fails, a cut that differs), 2 unreadable input or wrong arguments.
Results go to standard output, words about them to standard error.

Start with:
  weir default-policy > policy.yaml
  weir check policy.yaml
  echo 'Ignore all previous instructions.' | weir scan --policy policy.yaml"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Checks policies and says what they cost.
    Check(Check),
    /// Scans texts as the module would.
    Scan(Scan),
    /// Runs a recorded HTTP exchange through the whole pipeline.
    Replay(Replay),
    /// Runs policy tests: what a policy must find, pass and refuse.
    Test(Test),
    /// Measures what policies find in labelled texts, and what they flag wrongly.
    Eval(Eval),
    /// Says what a policy change makes weaker, by the documents and on recorded traffic.
    Diff(Diff),
    /// Prints the policy that is in force for a caller, each field with its origin.
    Effective(Effective),
    /// Joins a baseline and policies to the one document that a module is given.
    Bundle(Bundle),
    /// Reads a mesh's manifests and says where traffic could walk around the filter.
    Doctor(Doctor),
    /// Says which risks the policy in force covers, by what, and what it leaves open.
    Owasp(Owasp),
    /// Lists the rules, built in or of a policy's own, and what they do.
    Rules(Rules),
    /// Explains a rule, or a finding with the exception that would accept it.
    Explain(Explain),
    /// Prints the JSON Schema of the policy format, or of policy tests.
    Schema(Schema),
    /// Prints the default policy, annotated.
    DefaultPolicy,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Human,
    Json,
}

#[derive(Args)]
#[command(after_help = "Prints every error as FILE:LINE:COLUMN: reason (cure).
Exit codes: 0 all good, 1 an error in a policy, 2 a file that cannot be read.

Example:
  weir check policies/*.yaml")]
pub struct Check {
    /// YAML or JSON files; - is standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Json is one object a file: errors, or what the policy costs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Args)]
#[command(
    after_help = "With --jsonl each line in is {\"id\",\"text\",\"channel\"?} and each line out, in order, is
{\"id\",\"verdict\",\"score\",\"findings\":[{\"rule\",\"start\",\"end\",\"action\"}],\"text\"}; offsets are half-open, in bytes.
The policy's mode is ignored: a scan always enforces. What cannot be inspected is rejected, with a \"fault\".
Exit codes: 0 scanned, whatever the verdict; 1 errors in the policy; 2 unreadable input. A bad line gives
{\"id\":null,\"error\"}, the others are still answered, and 2 comes at the end.

Examples:
  echo 'my key is AKIAIOSFODNN7EXAMPL2' | weir scan --channel response.text
  weir scan --policy policy.yaml --jsonl < texts.jsonl > verdicts.jsonl"
)]
pub struct Scan {
    /// The policy; `weir default-policy` if left out.
    #[arg(long)]
    pub policy: Option<PathBuf>,
    /// Where the text stands, such as request.user or response.text.
    #[arg(long, default_value = "request.user")]
    pub channel: String,
    /// Who speaks, such as spiffe://cluster.local/ns/retail/sa/bot: which policy and exceptions count.
    #[arg(long)]
    pub caller: Option<String>,
    /// Read and write a JSON object a line.
    #[arg(long, conflicts_with_all = ["text", "format"])]
    pub jsonl: bool,
    /// How the verdict on a single text is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The text; standard input if left out.
    pub text: Option<String>,
}

#[derive(Args)]
#[command(
    after_help = "REQUEST and RESPONSE are raw HTTP/1.1 messages: head, blank line, body without transfer framing.
What comes out is what Envoy would pass on: the pipeline is the module's own code, the proxy around it is simulated.
Exit codes: 0 run, whatever the decision; 1 a cut that differs, or errors in the policy; 2 unreadable input.

Examples:
  weir replay --policy policy.yaml --exchange chat.req chat.resp
  weir replay --policy policy.yaml --exchange chat.req chat.resp --every-cut
  weir replay --policy policy.yaml --exchange chat.req chat.resp --cut 1 --raw"
)]
pub struct Replay {
    /// The policy; `weir default-policy` if left out.
    #[arg(long)]
    pub policy: Option<PathBuf>,
    /// The two recorded messages.
    #[arg(long, num_args = 2, value_names = ["REQUEST", "RESPONSE"], required = true)]
    pub exchange: Vec<PathBuf>,
    /// Bodies arrive in pieces of N bytes; 0 is whole.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub cut: usize,
    /// Runs every split of each body in two, and fails if any differs from the whole.
    #[arg(long, conflicts_with = "cut")]
    pub every_cut: bool,
    /// Trailers follow both bodies, so that no end of them is announced.
    #[arg(long)]
    pub trailers: bool,
    /// Writes heads and bodies as the filter leaves them: upstream first, then client.
    #[arg(long)]
    pub raw: bool,
}

#[derive(Args)]
#[command(
    after_help = "A folder is searched for files of kind PolicyTest and Policy. Of every policy that is named or found, the
examples of its own rules are run too. Each case runs whole, cut in two at every byte (of what is longer than 2 KiB:
at 512 bytes, evenly spread) and byte by byte, and must come to the same.
Cases run as if everything were enforced, unless they say `asWritten: true`.
With --evasions nothing is tested: the examples of the rules that read requests only, of built-in ones too, and the
texts of cases about requests are disguised in many ways, and for each way it is told how many attacks are still found,
and how many clean texts are flagged.
Exit codes: 0 all passed; 1 a case failed, or errors in a test file or policy; 2 a file that cannot be read, no tests.

Examples:
  weir test policies/
  weir test policies/ --junit weir.xml
  weir test --evasions policies/policy.yaml
  weir schema --kind PolicyTest > policytest.schema.json"
)]
pub struct Test {
    /// Test files, policies, or folders with them.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Json is one object a case, then one with the sum.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also writes the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Shows the texts of failed text cases, with what was found in them.
    #[arg(long)]
    pub show_texts: bool,
    /// Prints what is still found when texts are disguised.
    #[arg(long, conflicts_with_all = ["junit", "show_texts"])]
    pub evasions: bool,
    /// Which letters are replaced where not all are; the same at every run.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "evasions")]
    pub seed: u64,
}

#[derive(Args)]
#[command(
    after_help = "A corpus is JSON lines, plain or gzip. A row is {\"id\",\"text\",\"label\":\"attack\" or \"benign\",\"kind\"?,\"lang\"?,
\"source\"?,\"method\"?,\"channel\"?}, or {\"id\",\"text\",\"spans\":[[start,end,type],...]} with offsets in characters. Each text is
judged as `weir scan` judges it, whatever the policy's mode. Attacks of the kinds adv_suffix, contextual and indirect_plain are
counted apart. Texts are never printed.
Exit codes: 0 measured; 1 errors in a policy; 2 unreadable input. Lines that are no rows are told, the others are still
counted, and 2 comes at the end.

Examples:
  weir eval --policy policy.yaml --corpus texts.jsonl --html report.html
  weir eval --policy main.yaml --policy branch.yaml --corpus attacks.jsonl.gz benign.jsonl.gz --misses misses.jsonl"
)]
pub struct Eval {
    /// Policies to be compared; one after each --policy.
    #[arg(long, required = true, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// Corpora.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub corpus: Vec<PathBuf>,
    /// Where texts stand whose row does not say it; KIND=CHANNEL is for rows of a kind alone.
    #[arg(long, value_name = "[KIND=]CHANNEL", default_value = "request.user")]
    pub channel: Vec<String>,
    /// Who speaks.
    #[arg(long)]
    pub caller: Option<String>,
    /// What counts as found: any finding, or only what would be refused.
    #[arg(long = "as", value_enum, default_value_t)]
    pub how: As,
    /// Also measures what the policies come to together: where one of them finds a text, and where all do.
    #[arg(long)]
    pub combine: bool,
    /// Also writes the report as one page with plots.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Also writes the report as JSON; - is standard output, without the tables.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Writes the ids of missed attacks and of false alarms by rule, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub misses: Option<PathBuf>,
}

/// What counts as found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum As {
    #[default]
    Flag,
    Block,
}

impl As {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            As::Flag => "flag",
            As::Block => "block",
        }
    }
}

#[derive(Args)]
#[command(
    after_help = "Compares the documents: what was removed, weakened, strengthened or added. With --exchanges also what either
policy decides on recorded traffic: pairs of files NAME.req and NAME.resp, raw HTTP/1.1 messages as for `weir replay`;
or bodies alone, with a manifest.jsonl beside them whose lines have id, host, path, status and format (sse or json).
What became weaker comes first. Both policies count as they are written, Shadow as Shadow.
Exit codes: 0 nothing is weaker; 1 something is, unless --allow-weaker; 2 unreadable input, errors in a policy.

Examples:
  weir diff main.yaml branch.yaml
  weir diff main.yaml branch.yaml --exchanges recordings --format markdown > comment.md"
)]
pub struct Diff {
    /// The policy in force.
    pub old: PathBuf,
    /// The policy that would replace it.
    pub new: PathBuf,
    /// A folder with recorded exchanges.
    #[arg(long, value_name = "DIR")]
    pub exchanges: Option<PathBuf>,
    /// Markdown is for a comment on a change.
    #[arg(long, value_enum, default_value_t)]
    pub format: DiffFormat,
    /// Ends with 0 although something became weaker.
    #[arg(long)]
    pub allow_weaker: bool,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    #[default]
    Human,
    Json,
    Markdown,
}

#[derive(Args)]
pub struct Schema {
    /// Of which kind.
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    pub kind: SchemaKind,
}

/// Kinds of documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    #[default]
    #[value(name = "Policy")]
    Policy,
    #[value(name = "Bundle")]
    Bundle,
    #[value(name = "PolicyTest")]
    PolicyTest,
}

#[derive(Args)]
#[command(
    after_help = "Prints YAML, with the origin of each field behind it: baseline overrides, policy, baseline defaults, built in.
Exit codes: 0 printed, 1 errors in the policy, 2 a file that cannot be read.

Example:
  weir effective --policy bundle.json --caller spiffe://bank.example/ns/retail/sa/support-bot"
)]
pub struct Effective {
    /// A policy or a bundle; `weir default-policy` if left out.
    #[arg(long)]
    pub policy: Option<PathBuf>,
    /// Who speaks; someone unknown if left out.
    #[arg(long)]
    pub caller: Option<String>,
    /// The host that is called.
    #[arg(long)]
    pub host: Option<String>,
}

#[derive(Args)]
#[command(
    after_help = "Prints a document of kind Bundle as JSON, ready for `pluginConfig`. What is weaker than the baseline is an error
with the place in the policy's own file.
Exit codes: 0 printed, 1 errors in a file or against the baseline, 2 a file that cannot be read.

Example:
  weir bundle platform/baseline.yaml teams/*/policy.yaml > bundle.json"
)]
pub struct Bundle {
    /// The platform's baseline (kind: Baseline).
    pub baseline: PathBuf,
    /// The teams' policies (kind: Policy).
    pub policies: Vec<PathBuf>,
    /// The bundle's name.
    #[arg(long, default_value = "bundle")]
    pub name: String,
}

#[derive(Args)]
#[command(
    after_help = "Reads what it is given and nothing else: a cluster's resources from `kubectl get -o yaml`, or what kustomize and Helm
print. Says each finding as FILE:LINE:COLUMN: reason (cure). What is not among the manifests it cannot know, such as a policy of the
network's own.
Exit codes: 0 nothing found, 1 something, 2 a file that cannot be read.

Examples:
  kubectl kustomize istio/overlays/egress | weir doctor
  kubectl get -A -o yaml wasmplugins,envoyfilters,gateways,serviceentries,sidecars,deployments,services,networkpolicies | weir doctor"
)]
pub struct Doctor {
    /// Files with manifests; standard input if left out.
    pub files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Args)]
#[command(
    after_help = "Rules are joined with risks by their tags, settings by a table of the command. What is only seen (Audit, Shadow), what is off,
exceptions and what no policy covers are named. With manifests the findings of `weir doctor` on them are joined, and it is told
whether Weir's plugins carry this document.
The page is evidence for a review, and no statement of compliance. docs/frameworks.md says how it is read.
Exit codes: 0 printed, whatever is open; 1 errors in the policy; 2 a file that cannot be read.

Examples:
  weir owasp --policy policy.yaml > owasp.md
  weir owasp --policy bundle.json --caller spiffe://bank.example/ns/retail/sa/bot --framework eu-ai-act
  weir owasp --policy policy.yaml --manifests rendered.yaml --format json"
)]
pub struct Owasp {
    /// A policy or a bundle; `weir default-policy` if left out.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Whose list.
    #[arg(long, value_enum, default_value_t)]
    pub framework: Framework,
    /// Who speaks; someone unknown if left out.
    #[arg(long)]
    pub caller: Option<String>,
    /// The host that is called.
    #[arg(long)]
    pub host: Option<String>,
    /// Manifests as `weir doctor` reads them; - is standard input.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub manifests: Vec<PathBuf>,
    /// How the page is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: PageFormat,
}

/// Lists of risks and controls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Framework {
    #[default]
    Owasp,
    Atlas,
    #[value(name = "nist-ai-rmf")]
    NistAiRmf,
    #[value(name = "iso-42001")]
    Iso42001,
    #[value(name = "eu-ai-act")]
    EuAiAct,
}

/// How a page is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PageFormat {
    #[default]
    Markdown,
    Json,
}

#[derive(Args)]
#[command(
    after_help = "With the id of a rule, everything about it: what it finds and why, how it looks for it, what it does and holds,
examples. With --text the finding is reproduced; with --id its record is looked up, in the access log or in the module's log
lines. A fingerprint needs a key in `keys` with `use: Fingerprint`, and its variable in the environment: the module's key, so that
the fingerprints are the same.
Exit codes: 0 explained, 1 no such rule or record, or errors in the policy, 2 a file that cannot be read.

Examples:
  weir explain secrets-openai-key
  weir explain --policy policy.yaml --channel response.text --text 'call +1 415 555 2671'
  weir explain --id 9c1e5f0a3b2d4c6e --records access.log"
)]
pub struct Explain {
    /// A rule, as findings and records name it.
    #[arg(conflicts_with_all = ["text", "id"])]
    pub rule: Option<String>,
    /// The policy or bundle; for findings `weir default-policy` if left out, for a rule what its pack does by itself.
    #[arg(long)]
    pub policy: Option<PathBuf>,
    /// Who speaks.
    #[arg(long)]
    pub caller: Option<String>,
    /// Where the text stands.
    #[arg(long, default_value = "request.user")]
    pub channel: String,
    /// The text in which something was found.
    #[arg(long, conflicts_with = "id")]
    pub text: Option<String>,
    /// A decision, as `x-weir-id` and records name it.
    #[arg(long)]
    pub id: Option<String>,
    /// Lines with records; standard input if left out.
    #[arg(long, requires = "id")]
    pub records: Option<PathBuf>,
    /// The rule as JSON.
    #[arg(long, requires = "rule")]
    pub json: bool,
}

#[derive(Args)]
#[command(
    after_help = "Without a policy: all built-in rules, with what their packs do where a policy says nothing else. With one: the
rules that are in force under it, its own too.
Exit codes: 0 listed, 1 errors in the policy, 2 a file that cannot be read, no such pack.

Examples:
  weir rules --pack injection
  weir rules --policy policy.yaml --json"
)]
pub struct Rules {
    /// A policy or a bundle, of which the first policy is taken.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The rules of one pack.
    #[arg(long, value_name = "NAME")]
    pub pack: Option<String>,
    /// An object a line: the rule as it is written, with its pack and what it does.
    #[arg(long)]
    pub json: bool,
    /// Writes a Markdown page for each rule instead, and one that lists them.
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    pub docs: Option<PathBuf>,
}
