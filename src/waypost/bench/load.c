/* The load generator of `waypost bench`: one thread, epoll, far cheaper than what it measures.

   load teltonika HOST PORT CONNECTIONS RECORDS SECONDS FIRST_IMEI START_MS
       Each connection logs in as a Teltonika device (codec 8 Extended over TCP, as in Teltonika's
       "Data sending protocols"), then sends a packet of RECORDS records, waits for the
       acknowledgement of that many, and sends the next. Times of a device's records rise by a
       second each from START_MS.
   load http HOST PORT CONNECTIONS SECONDS FILE
       Each connection sends the request in FILE, reads the whole answer, and sends it again.

   Prints one JSON object: units (records or requests) that were answered, seconds, percentiles of
   the time from sending to the answer in ms, errors. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKET 16384
#define BUCKETS 200000 /* of 20 microseconds: 4 s */
#define BUCKET_US 20

enum state { CONNECTING, LOGIN, WAITING, DONE };

struct connection {
    int fd;
    enum state state;
    uint64_t imei, clock_ms;
    double sent_at;
    size_t out_length, out_done;
    uint8_t *out;
    uint8_t in[65536];
    size_t in_length, body_left;
    int status_ok;
};

static uint16_t crc_table[256];
static uint64_t answered, errors, packets, latencies[BUCKETS + 1];
static int records_per_packet, is_http, epoll_fd;
static const char *request;
static size_t request_length;
static double ends_at;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void make_crc_table(void) {
    for (int n = 0; n < 256; n++) {
        uint16_t crc = (uint16_t)n;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1;
        crc_table[n] = crc;
    }
}

static uint8_t *put(uint8_t *at, uint64_t value, int bytes) {
    for (int n = bytes - 1; n >= 0; n--) *at++ = (uint8_t)(value >> (8 * n));
    return at;
}

static uint8_t *record(uint8_t *at, struct connection *c, int n) {
    uint64_t time = c->clock_ms;
    uint32_t step = (uint32_t)(time / 1000 % 100000);
    at = put(at, time, 8);
    *at++ = 0;                                            /* priority */
    at = put(at, (uint32_t)(int32_t)(21700000 + step * 37 % 900000), 4); /* longitude, 1e-7 */
    at = put(at, (uint32_t)(int32_t)(413900000 + step * 53 % 900000), 4);
    at = put(at, 24 + n % 10, 2);                         /* altitude */
    at = put(at, step * 7 % 360, 2);                      /* heading */
    *at++ = 11;                                           /* satellites */
    at = put(at, 30 + step % 60, 2);                      /* speed */
    at = put(at, 0, 2);                                   /* event */
    at = put(at, 14, 2);                                  /* values in all */
    at = put(at, 5, 2);                                   /* of one byte */
    at = put(put(at, 239, 2), 1, 1);
    at = put(put(at, 240, 2), 1, 1);
    at = put(put(at, 21, 2), 1 + step % 5, 1);
    at = put(put(at, 69, 2), 1, 1);
    at = put(put(at, 113, 2), 97, 1);
    at = put(at, 6, 2);                                   /* of two bytes */
    at = put(put(at, 181, 2), 12, 2);
    at = put(put(at, 182, 2), 8, 2);
    at = put(put(at, 66, 2), 13800 + step % 400, 2);
    at = put(put(at, 67, 2), 4050, 2);
    at = put(put(at, 68, 2), 0, 2);
    at = put(put(at, 9, 2), 40 + step % 20, 2);
    at = put(at, 2, 2);                                   /* of four */
    at = put(put(at, 241, 2), 21403, 4);
    at = put(put(at, 16, 2), 61383 + step, 4);
    at = put(at, 1, 2);                                   /* of eight */
    at = put(put(at, 78, 2), 0, 8);
    at = put(at, 0, 2);                                   /* of any length */
    c->clock_ms += 1000;
    return at;
}

static void make_packet(struct connection *c) {
    uint8_t *data = c->out + 8, *at = data;
    *at++ = 0x8E;
    *at++ = (uint8_t)records_per_packet;
    for (int n = 0; n < records_per_packet; n++) at = record(at, c, n);
    *at++ = (uint8_t)records_per_packet;
    size_t length = (size_t)(at - data);
    put(c->out, 0, 4);
    put(c->out + 4, length, 4);
    uint16_t crc = 0;
    for (size_t n = 0; n < length; n++) crc = (crc >> 8) ^ crc_table[(crc ^ data[n]) & 0xFF];
    at = put(at, crc, 4);
    c->out_length = (size_t)(at - c->out);
    c->out_done = 0;
}

static void fail(struct connection *c, const char *why) {
    if (c->state == DONE) return;
    if (errors++ < 5) fprintf(stderr, "load: %s: %s\n", why, strerror(errno));
    close(c->fd);
    c->state = DONE;
}

static void flush_out(struct connection *c) {
    const uint8_t *data = is_http ? (const uint8_t *)request : c->out;
    while (c->out_done < c->out_length) {
        ssize_t n = send(c->fd, data + c->out_done, c->out_length - c->out_done, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) return;
            fail(c, "send");
            return;
        }
        c->out_done += (size_t)n;
    }
}

static void next(struct connection *c) {
    if (now() >= ends_at) {
        close(c->fd);
        c->state = DONE;
        return;
    }
    if (is_http) {
        c->out_length = request_length;
        c->out_done = 0;
        c->in_length = 0;
        c->body_left = 0;
    } else {
        make_packet(c);
    }
    c->sent_at = now();
    c->state = WAITING;
    flush_out(c);
}

static void begin(struct connection *c) {
    if (is_http) {
        next(c);
        return;
    }
    char imei[32];
    snprintf(imei, sizeof imei, "%015llu", (unsigned long long)c->imei);
    put(c->out, 15, 2);
    memcpy(c->out + 2, imei, 15);
    c->out_length = 17;
    c->out_done = 0;
    c->state = LOGIN;
    flush_out(c);
}

static void answer(struct connection *c, uint64_t units) {
    double took = (now() - c->sent_at) * 1e6 / BUCKET_US;
    latencies[took >= BUCKETS ? BUCKETS : (size_t)took]++;
    answered += units;
    packets++;
    next(c);
}

/* Enough of HTTP/1.1 for answers with a Content-Length. */
static void read_http(struct connection *c) {
    for (;;) {
        if (c->body_left) {
            size_t take = c->in_length < c->body_left ? c->in_length : c->body_left;
            c->body_left -= take;
            c->in_length = 0;
            if (c->body_left) return;
            if (!c->status_ok) errors++;
            answer(c, 1);
            return;
        }
        uint8_t *end = memmem(c->in, c->in_length, "\r\n\r\n", 4);
        if (!end) {
            if (c->in_length == sizeof c->in) fail(c, "headers too long");
            return;
        }
        *end = 0;
        char *length = strcasestr((char *)c->in, "content-length:");
        if (!length) {
            fail(c, "no content-length");
            return;
        }
        c->status_ok = memcmp(c->in + 9, "200", 3) == 0;
        size_t head = (size_t)(end - c->in) + 4;
        c->body_left = strtoull(length + 15, NULL, 10);
        c->in_length -= head;
        memmove(c->in, c->in + head, c->in_length);
        if (!c->body_left) {
            answer(c, 1);
            return;
        }
    }
}

static void readable(struct connection *c) {
    for (;;) {
        ssize_t n = recv(c->fd, c->in + c->in_length, sizeof c->in - c->in_length, 0);
        if (n < 0) {
            if (errno == EAGAIN) return;
            fail(c, "receive");
            return;
        }
        if (n == 0) {
            errno = 0;
            fail(c, "closed by the server");
            return;
        }
        c->in_length += (size_t)n;
        if (is_http) {
            read_http(c);
        } else if (c->state == LOGIN) {
            if (c->in[0] != 1) {
                errno = 0;
                fail(c, "log-in refused");
                return;
            }
            c->in_length = 0;
            next(c);
        } else if (c->in_length >= 4) {
            uint32_t count = (uint32_t)c->in[0] << 24 | c->in[1] << 16 | c->in[2] << 8 | c->in[3];
            c->in_length = 0;
            if ((int)count != records_per_packet) errors++;
            answer(c, count);
        }
        if (c->state == DONE) return;
    }
}

static double percentile(double share) {
    uint64_t want = (uint64_t)(share * (double)packets), seen = 0;
    for (size_t n = 0; n <= BUCKETS; n++) {
        seen += latencies[n];
        if (seen > want) return (double)(n + 1) * BUCKET_US / 1000.0;
    }
    return 0;
}

int main(int count, char **args) {
    is_http = count == 7 && !strcmp(args[1], "http");
    if (!is_http && !(count == 9 && !strcmp(args[1], "teltonika"))) {
        fprintf(stderr, "see the comment at the top of load.c\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(args[3]))};
    if (inet_pton(AF_INET, args[2], &to.sin_addr) != 1) return 2;
    int connections = atoi(args[4]);
    double seconds = atof(args[is_http ? 5 : 6]);
    if (is_http) {
        FILE *file = fopen(args[6], "rb");
        static char text[1 << 20];
        if (!file) return 2;
        request_length = fread(text, 1, sizeof text, file);
        request = text;
    } else {
        records_per_packet = atoi(args[5]);
        make_crc_table();
    }
    epoll_fd = epoll_create1(0);
    struct connection **all = calloc((size_t)connections, sizeof *all);
    double started = now();
    ends_at = started + seconds;
    for (int n = 0; n < connections; n++) {
        struct connection *c = calloc(1, sizeof *c);
        all[n] = c;
        c->out = malloc(is_http ? 1 : MAX_PACKET);
        if (!is_http) {
            c->imei = strtoull(args[7], NULL, 10) + (uint64_t)n;
            c->clock_ms = strtoull(args[8], NULL, 10);
        }
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int yes = 1;
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
            fail(c, "connect");
            continue;
        }
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
    }
    struct epoll_event events[512];
    for (;;) {
        int n = epoll_wait(epoll_fd, events, 512, 100);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->state == DONE) continue;
            if (events[i].events & (EPOLLERR | EPOLLHUP) && c->state == CONNECTING) {
                fail(c, "connect");
                continue;
            }
            if (events[i].events & EPOLLOUT) {
                if (c->state == CONNECTING) begin(c);
                else flush_out(c);
            }
            if (events[i].events & EPOLLIN && c->state != DONE) readable(c);
        }
        int alive = 0;
        for (int i = 0; i < connections && !alive; i++) alive = all[i]->state != DONE;
        if (!alive || now() > ends_at + 15) {
            for (int i = 0; i < connections; i++)
                if (all[i]->state != DONE) {
                    errno = 0;
                    fail(all[i], "no answer within 15 s");
                }
            break;
        }
    }
    double took = now() - started;
    if (took > seconds) took = took < seconds + 1 ? took : seconds + 1;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                 (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"answered\": %llu, \"exchanges\": %llu, \"seconds\": %.3f, \"per_second\": %.1f, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"errors\": %llu, \"cpu_seconds\": %.2f}\n",
           (unsigned long long)answered, (unsigned long long)packets, took, answered / took,
           percentile(0.50), percentile(0.99), (unsigned long long)errors, cpu);
    return 0;
}
