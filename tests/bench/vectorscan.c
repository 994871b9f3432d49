/* Vectorscan (or Hyperscan) on the patterns of a channel: vectorscan FOLDER CHANNEL..
 *
 * First prints a line of JSON: how many patterns of each channel it has compiled. Then reads one job a line, CHANNEL
 * PIECE TEXT, streams the text in pieces of so many bytes, again and again for a while, and answers with a line of JSON.
 * What does not compile by itself is left out. Where a match begins is not asked for, which is what the library is fastest at. */

#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHANNELS = 4, PATTERNS = 256, LINE = 1 << 16 };

/* Nanoseconds for which a job is repeated, as the other programs do. */
static const double LONG = 60e6;

struct channel {
    const char *name;
    hs_database_t *database;
    unsigned patterns;
};

static char line[LINE];

static void fail(const char *what, const char *why) {
    fprintf(stderr, "vectorscan: %s: %s\n", what, why);
    exit(1);
}

static double nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

static FILE *open_in(const char *folder, const char *name, const char *end) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    FILE *file = fopen(path, "rb");
    if (!file) fail(path, "cannot be read");
    return file;
}

/* Lines of `i PATTERN` (letters in either case) or `- PATTERN`. */
static void compile(struct channel *channel, const char *folder) {
    const char *sources[PATTERNS];
    unsigned flags[PATTERNS], *all = &channel->patterns;
    hs_compile_error_t *error;
    FILE *file = open_in(folder, channel->name, ".patterns");
    while (*all < PATTERNS && fgets(line, LINE, file)) {
        line[strcspn(line, "\n")] = 0;
        flags[*all] = line[0] == 'i' ? HS_FLAG_CASELESS : 0;
        sources[(*all)++] = strdup(line + 2);
    }
    fclose(file);
    while (hs_compile_multi(sources, flags, NULL, *all, HS_MODE_STREAM, NULL, &channel->database, &error) != HS_SUCCESS) {
        int at = error->expression;
        if (at < 0 || !*all) fail(channel->name, error->message);
        fprintf(stderr, "vectorscan: left out: %s\n", error->message);
        hs_free_compile_error(error);
        --*all;
        memmove(sources + at, sources + at + 1, (*all - at) * sizeof *sources);
        memmove(flags + at, flags + at + 1, (*all - at) * sizeof *flags);
    }
}

static int count(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *found) {
    (void)id, (void)from, (void)to, (void)flags;
    ++*(unsigned long *)found;
    return 0;
}

static unsigned long pass(struct channel *channel, hs_scratch_t *scratch, const char *text, size_t size, size_t piece) {
    unsigned long found = 0;
    hs_stream_t *stream;
    if (hs_open_stream(channel->database, 0, &stream) != HS_SUCCESS) fail(channel->name, "no stream");
    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        if (hs_scan_stream(stream, text + at, (unsigned)length, 0, scratch, count, &found) != HS_SUCCESS)
            fail(channel->name, "scan");
    }
    hs_close_stream(stream, scratch, count, &found);
    return found;
}

static char *text_of(const char *folder, const char *name, size_t *size) {
    FILE *file = open_in(folder, name, "");
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (!text || fread(text, 1, *size, file) != *size) fail(name, "cannot be read");
    fclose(file);
    return text;
}

int main(int count_of, char **given) {
    struct channel channels[CHANNELS] = {0};
    hs_scratch_t *scratch = NULL;
    int all = count_of - 2;
    if (all < 1 || all > CHANNELS) fail("usage", "vectorscan FOLDER CHANNEL..");
    printf("{\"version\": \"%.6s\"", hs_version());
    for (int i = 0; i < all; i++) {
        channels[i].name = given[i + 2];
        compile(&channels[i], given[1]);
        if (hs_alloc_scratch(channels[i].database, &scratch) != HS_SUCCESS) fail("scratch", "no memory");
        printf(", \"%s\": %u", channels[i].name, channels[i].patterns);
    }
    printf("}\n");
    fflush(stdout);
    while (fgets(line, LINE, stdin)) {
        char name[256], file[256];
        size_t piece, size, bytes = 0;
        int at = 0;
        if (sscanf(line, "%255s %zu %255s", name, &piece, file) != 3 || !piece) fail("no job", line);
        while (at < all && strcmp(channels[at].name, name)) at++;
        if (at == all) fail("no channel", name);
        char *text = text_of(given[1], file, &size);
        unsigned long found = pass(&channels[at], scratch, text, size, piece);
        double began = nanoseconds();
        while (nanoseconds() - began < LONG) {
            pass(&channels[at], scratch, text, size, piece);
            bytes += size;
        }
        printf("{\"seconds\": %.9f, \"bytes\": %zu, \"found\": %lu}\n", (nanoseconds() - began) / 1e9, bytes, found);
        fflush(stdout);
        free(text);
    }
    return 0;
}
