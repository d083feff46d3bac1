/*
 * flows: follows fetched and decoded text to what runs it.
 *
 * Every command gives something: what its own words fetch or decode, what the commands in its
 * parentheses give, and what it reads from a pipe. Where that reaches an interpreter (on its input,
 * as its argument, in a variable) or comes back as a file that is started, a fact is noted.
 * Names do not matter, only how things are joined.
 *
 * Reads a text in overlapping parts of fixed size: what is further apart than the overlap is not
 * connected.
 */
#include "providers/command/flows.h"

#include <string.h>

#include "providers/command/files.h"
#include "providers/command/methods.h"
#include "providers/command/words.h"

#define PART_STEP     (COMMANDS_BYTES_MAX - 4096u)
#define TAINTED_MAX   16
#define ROUNDS_MAX    4u
#define REACH         256u /* words of a command that are looked through */
#define GIVES_FETCHED METHOD_FETCH
#define GIVES_DECODED METHOD_DECODE
#define GIVES_TEXT    (1u << 5)
#define MAY_FETCH     (1u << 6) /* a fetching program; whether it fetches depends on its arguments */

struct tainted {
    uint32_t word; /* `name=` */
    uint8_t gives;
    uint32_t source;
};

struct flow {
    struct flows *flows;
    const struct text *text;
    unsigned view;
    const struct known_addresses *known;
    struct signals *signals;
    struct tainted tainted[TAINTED_MAX];
    size_t n_tainted;
};

static bool is_option(const struct flow *flow, const struct word_at *word)
{
    uint8_t first = flow->text->bytes[word->from];

    return first == '-' || (first == '/' && word->to - word->from <= 3);
}

static void source_set(struct flow *flow, uint32_t command, uint8_t gives, uint32_t word)
{
    struct flows *flows = flow->flows;

    if ((flows->own[command] & (GIVES_FETCHED | GIVES_DECODED | MAY_FETCH)) == 0 ||
        (gives & GIVES_FETCHED)) {
        flows->source[command] = word;
    }
    flows->own[command] |= gives;
}

static bool is_head(const struct flow *flow, uint32_t index)
{
    const struct commands *commands = &flow->flows->commands;

    return commands->commands[commands->words[index].command].head == index;
}

/* A host and path without a scheme, as curl takes it. */
static bool is_bare_address(const struct flow *flow, const struct word_at *word)
{
    const uint8_t *bytes = flow->text->bytes + word->from;
    size_t n = word->to - word->from;
    const uint8_t *dot = memchr(bytes, '.', n);

    return !word->before && !is_option(flow, word) && bytes[0] != '.' && bytes[0] != '/' &&
           bytes[0] != '~' && bytes[0] != '%' && dot && dot > bytes && dot < bytes + n - 2 &&
           !memchr(bytes, '\\', n) && !memmem(bytes, n, "://", 3) && !memchr(bytes, '=', n) &&
           !(n > 1 && bytes[1] == ':');
}

/* Whether `base64 -d`, `xxd -r`, `openssl enc -d` and the like decode. */
static bool decodes(const struct flow *flow, uint32_t index)
{
    static const char *const options[] = {"-d", "-di", "--decode", "-r", "-rp", "-r -p"};
    const struct commands *commands = &flow->flows->commands;
    const struct word_at *head = &commands->words[index];
    static const char *const coders[] = {"base64", "base32", "openssl", "xxd", "gzip", "xz"};
    bool is_coder = false;

    for (size_t i = 0; i < sizeof(coders) / sizeof(coders[0]); i++) {
        is_coder |= commands_word_is(commands, head, coders[i]);
    }
    if (!is_coder) {
        return true;
    }
    for (size_t i = index + 1; i < commands->n_words && i < index + 12; i++) {
        for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
            if (commands->words[i].command == head->command &&
                (commands_word_is(commands, &commands->words[i], options[o]) ||
                 commands_word_has(commands, &commands->words[i], "-d"))) {
                return true;
            }
        }
    }
    return false;
}

/* Names of programs that are ordinary words elsewhere. */
static bool is_everyday_word(const struct commands *commands, const struct word_at *word)
{
    return commands_word_is(commands, word, "fetch") || commands_word_is(commands, word, "get") ||
           commands_word_is(commands, word, "http") || commands_word_is(commands, word, "https") ||
           commands_word_is(commands, word, "finger");
}

/* What a word by itself makes its command do. */
static void word_note(struct flow *flow, uint32_t index)
{
    struct commands *commands = &flow->flows->commands;
    const struct word_at *word = &commands->words[index];
    uint8_t methods = word->methods;
    const struct command *command = &commands->commands[word->command];

    if (methods & ~(METHOD_RUN | METHOD_SAVE)) {
        source_set(flow, word->command, methods & ~(METHOD_RUN | METHOD_SAVE), index);
    }
    flow->flows->own[word->command] |= methods & METHOD_RUN;
    if (word->flags & WORD_FETCH && (is_head(flow, index) || !is_everyday_word(commands, word))) {
        source_set(flow, word->command, MAY_FETCH, index);
    }
    if (word->flags & WORD_DECODE && is_head(flow, index) && decodes(flow, index)) {
        source_set(flow, word->command, GIVES_DECODED, index);
    }
    if (is_head(flow, index) &&
        (commands_word_is(commands, word, "echo") || commands_word_is(commands, word, "printf"))) {
        source_set(flow, word->command, GIVES_TEXT, index);
    }
    if (command->head != COMMAND_NONE && command->head < index &&
        commands->words[command->head].flags & WORD_FETCH &&
        !(commands->words[command->head].flags & WORD_OTHER) && is_bare_address(flow, word) &&
        !file_is_output(commands, index)) {
        flow->flows->own[word->command] |= METHOD_ADDRESS;
        address_note_bare(flow->text, word->from, word->to, flow->view, flow->known, flow->signals);
    }
    /* irm $u: where to is not known here, but an address it is. */
    if (command->head != COMMAND_NONE && command->head < index && !word->before &&
        flow->text->bytes[word->from] == '$' && word->to - word->from > 1 &&
        (commands->words[command->head].flags & (WORD_FETCH | WORD_EXPRESSION)) ==
            (WORD_FETCH | WORD_EXPRESSION)) {
        flow->flows->own[word->command] |= METHOD_ADDRESS;
    }
    for (size_t i = 0; i < flow->n_tainted; i++) {
        if (file_is_variable(commands, word, &commands->words[flow->tainted[i].word])) {
            source_set(flow, word->command, flow->tainted[i].gives, flow->tainted[i].source);
        }
    }
}

/* eval { } of Perl guards a block and evaluates nothing. */
static bool is_guarded(const struct flow *flow, uint32_t command)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[commands->commands[command].parent].head;

    return commands->commands[command].opened_by == '{' && head != COMMAND_NONE &&
           commands_word_is(commands, &commands->words[head], "eval");
}

/* Hands what each command has up to the one whose parentheses it stands in. */
static void hand_up(struct flow *flow)
{
    struct flows *flows = flow->flows;

    for (size_t i = flows->commands.n_commands; i > 0; i--) {
        uint32_t parent = flows->commands.commands[i - 1].parent;
        uint8_t gives = flows->own[i - 1];

        if (gives & MAY_FETCH && gives & METHOD_ADDRESS) {
            gives = (gives & ~MAY_FETCH) | GIVES_FETCHED;
        }
        flows->gives[i - 1] |= gives;
        if (parent != COMMAND_NONE && !is_guarded(flow, (uint32_t)i - 1)) {
            uint8_t up = flows->gives[i - 1] & ~(METHOD_RUN | MAY_FETCH | GIVES_TEXT);

            if (up & (GIVES_FETCHED | GIVES_DECODED)) {
                source_set(flow, parent, up, flows->source[i - 1]);
            }
            flows->own[parent] |= up;
        }
    }
    for (size_t i = 0; i < flows->commands.n_commands; i++) {
        uint32_t input = flows->commands.commands[i].input;

        if (input != COMMAND_NONE) {
            uint8_t from = flows->gives[input] & (GIVES_FETCHED | GIVES_DECODED | GIVES_TEXT);

            if (from && !(flows->gives[i] & GIVES_FETCHED)) {
                flows->source[i] = flows->source[input];
            }
            flows->gives[i] |= from;
        }
    }
}

/* Variables that take what a command gives. */
static void taint(struct flow *flow)
{
    struct flows *flows = flow->flows;
    uint32_t last = COMMAND_NONE;

    flow->n_tainted = 0;
    for (uint32_t i = 0; i < flows->commands.n_words; i++) {
        uint32_t command = flows->commands.words[i].command;
        bool is_first = command != last;

        last = command;
        if (is_first && flows->commands.commands[command].is_assigned &&
            flows->gives[command] & (GIVES_FETCHED | GIVES_DECODED) &&
            flow->text->bytes[flows->commands.words[i].to - 1] == '=' &&
            flow->n_tainted < TAINTED_MAX) {
            flow->tainted[flow->n_tainted++] = (struct tainted){
                i, flows->gives[command] & (GIVES_FETCHED | GIVES_DECODED), flows->source[command]};
        }
    }
}

/* `# anything`: no argument. What stands in it is read all the same, for the # may be quoted. */
static bool is_remark(const struct flow *flow, const struct word_at *word)
{
    return flow->text->bytes[word->from] == '#' && word->from > 0 &&
           flow->text->bytes[word->from - 1] == ' ';
}

/* Words of the command after its head that are no options, among its first `n` words. */
static size_t n_arguments(const struct flow *flow, uint32_t command, size_t n)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t first = commands->commands[command].first;
    size_t n_seen = 0;
    size_t n_found = 0;

    for (uint32_t i = first; i < commands->n_words && i - first < REACH && n_seen < n; i++) {
        const struct word_at *word = &commands->words[i];

        if (word->command != command) {
            continue;
        }
        if (is_remark(flow, word)) {
            break;
        }
        n_seen++;
        if (i > commands->commands[command].head && !word->before && !is_option(flow, word)) {
            n_found++;
        }
    }
    return n_found;
}

static bool has_option(const struct flow *flow, uint32_t command, const char *const *options)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;

    for (uint32_t i = head + 1; i < commands->n_words && i < head + 24; i++) {
        const struct word_at *word = &commands->words[i];

        if (word->command == command && is_remark(flow, word)) {
            return false;
        }
        for (size_t o = 0; word->command == command && options[o]; o++) {
            size_t n = strlen(options[o]);

            if (word->to - word->from == n &&
                memcmp(flow->text->bytes + word->from, options[o], n) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Whether the program of a command is run by another one that is named before it. */
static bool has_prefix(const struct flow *flow, uint32_t command, const char *name)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;

    for (uint32_t i = head; i > 0 && commands->words[i - 1].command == command; i--) {
        if (commands_word_is(commands, &commands->words[i - 1], name)) {
            return true;
        }
    }
    return false;
}

/* Whether a command takes a program from its input. */
static bool reads_program(const struct flow *flow, uint32_t command)
{
    static const char *const inputs[] = {"-", "-s", "/dev/stdin", "-command", NULL};
    static const char *const programs[] = {"-c",   "-e",    "-m",     "-n",  "-p",    "-r", "-ne",
                                           "-pe",  "-le",   "-lne",   "-f",  "-file", "/c", "/k",
                                           "-nle", "-lane", "--eval", "-ec", NULL};
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;
    const struct word_at *word;

    if (head == COMMAND_NONE || !(commands->words[head].flags & WORD_RUN)) {
        return false;
    }
    word = &commands->words[head];
    if (!(word->flags & WORD_LANGUAGE)) {
        return !(word->flags & WORD_START); /* iex, eval */
    }
    if (has_option(flow, command, inputs) || has_prefix(flow, command, "xargs")) {
        return true;
    }
    return !has_option(flow, command, programs) && n_arguments(flow, command, SIZE_MAX) == 0;
}

/* Whether the head of a command runs its arguments as a program. */
static bool runs_arguments(const struct flow *flow, uint32_t command)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;

    if (flow->flows->own[command] & METHOD_RUN) {
        return true;
    }
    return head != COMMAND_NONE && commands->words[head].flags & WORD_RUN &&
           !(commands->words[head].flags & WORD_LANGUAGE);
}

/* `.` and `source` take a file, and nothing from a pipe. */
static bool reads_input(const struct flow *flow, uint32_t command)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;

    return head == COMMAND_NONE || !(commands->words[head].flags & WORD_START);
}

/* Whether what `child` gives is the program that a shell in `command` runs: sh -c "$(...)". */
static bool is_program_of(const struct flow *flow, uint32_t command, uint32_t child)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;

    return head != COMMAND_NONE && commands->words[head].flags & WORD_LANGUAGE &&
           n_arguments(flow, command, commands->commands[child].n_words_before) == 0;
}

static void run_note(struct flow *flow, enum fact fact, uint32_t command)
{
    const struct commands *commands = &flow->flows->commands;
    uint32_t head = commands->commands[command].head;
    uint32_t source = flow->flows->source[command];
    const struct word_at *a = &commands->words[source < commands->n_words ? source : 0];
    const struct word_at *b = head == COMMAND_NONE ? a : &commands->words[head];

    signals_add(flow->signals, fact, flow->view, flow->text, a->from < b->from ? a->from : b->from,
                a->to > b->to ? a->to : b->to);
}

static void gives_note(struct flow *flow, uint32_t command, uint8_t gives, enum fact fetched)
{
    if (gives & GIVES_FETCHED) {
        run_note(flow, fetched, command);
    }
    if (gives & GIVES_DECODED) {
        run_note(flow, FACT_DECODED_RUN, command);
    }
}

static void runs_note(struct flow *flow)
{
    struct flows *flows = flow->flows;
    const struct commands *commands = &flows->commands;

    for (uint32_t i = 0; i < commands->n_commands; i++) {
        const struct command *command = &commands->commands[i];
        uint8_t given = command->input == COMMAND_NONE ? 0 : flows->gives[command->input];

        if (flows->own[i] & MAY_FETCH ? flows->own[i] & METHOD_ADDRESS
                                      : flows->own[i] & GIVES_FETCHED) {
            run_note(flow, FACT_FETCH, i);
        }
        if (given && reads_program(flow, i)) {
            gives_note(flow, i, given, FACT_FETCH_PIPED);
            if (given & GIVES_TEXT) {
                run_note(flow, FACT_TEXT_PIPED, i);
            }
        }
        if (runs_arguments(flow, i)) {
            uint8_t piped = reads_input(flow, i) ? flows->gives[i] & GIVES_FETCHED : 0;

            gives_note(flow, i, flows->own[i] | piped, FACT_FETCH_EVALUATED);
        }
        if (command->parent != COMMAND_NONE && is_program_of(flow, command->parent, i)) {
            gives_note(flow, command->parent, flows->gives[i], FACT_FETCH_EVALUATED);
        }
    }
}

static void tainted_runs_note(struct flow *flow)
{
    const struct commands *commands = &flow->flows->commands;

    for (uint32_t i = 0; i < commands->n_words; i++) {
        const struct word_at *word = &commands->words[i];
        const struct command *command = &commands->commands[word->command];

        for (size_t t = 0; t < flow->n_tainted; t++) {
            if (i > flow->tainted[t].word && command->head != COMMAND_NONE && command->head < i &&
                commands->words[command->head].flags & WORD_LANGUAGE &&
                file_is_variable(commands, word, &commands->words[flow->tainted[t].word]) &&
                n_arguments(flow, word->command, SIZE_MAX) <= 1) {
                gives_note(flow, word->command, flow->tainted[t].gives, FACT_FETCH_EVALUATED);
            }
        }
    }
}

static void part_note(struct flow *flow, size_t from, size_t to)
{
    struct flows *flows = flow->flows;

    commands_read(&flows->commands, flow->text, from, to);
    flow->signals->is_incomplete |= flows->commands.is_incomplete;
    methods_note(&flows->commands);
    flow->n_tainted = 0;
    /* Again with what variables hold, and those that take their values from them. */
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        size_t n_before = flow->n_tainted;

        memset(flows->own, 0, flows->commands.n_commands);
        memset(flows->gives, 0, flows->commands.n_commands);
        memset(flows->source, 0, flows->commands.n_commands * sizeof(flows->source[0]));
        for (uint32_t i = 0; i < flows->commands.n_words; i++) {
            word_note(flow, i);
        }
        hand_up(flow);
        taint(flow);
        if (flow->n_tainted == n_before) {
            break;
        }
    }
    runs_note(flow);
    tainted_runs_note(flow);
    files_note(&flows->commands, flows->gives, flow->view, flow->signals);
}

void flows_note(struct flows *flows, const struct text *plain, unsigned view,
                const struct known_addresses *known, struct signals *signals)
{
    struct flow flow = {
        .flows = flows, .text = plain, .view = view, .known = known, .signals = signals};

    for (size_t from = 0; from < plain->n; from += PART_STEP) {
        size_t to = plain->n - from < COMMANDS_BYTES_MAX ? plain->n : from + COMMANDS_BYTES_MAX;

        flows->commands.is_incomplete = false;
        part_note(&flow, from, to);
        if (to == plain->n) {
            break;
        }
    }
}
