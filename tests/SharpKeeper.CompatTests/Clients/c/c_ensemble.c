/* Apache's C client with the three servers given as the first argument; ends with 0 if all was as it must be. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

#define WAIT_SECONDS 60
#define SERVERS 3
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connects, read_only, configs, answers;
static char hosts[SERVERS][64];

static void await_count(const int *count, int wanted)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&lock);
    while (*count < wanted)
        CHECK(pthread_cond_timedwait(&changed, &lock, &until) == 0);
    pthread_mutex_unlock(&lock);
}

static void count_up(int *count)
{
    pthread_mutex_lock(&lock);
    ++*count;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void watch(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)context;
    CHECK(state != ZOO_EXPIRED_SESSION_STATE);
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        count_up(&connects);
    else if (type == ZOO_SESSION_EVENT && state == ZOO_READONLY_STATE)
        count_up(&read_only);
    else if (type == ZOO_CHANGED_EVENT && strcmp(path, "/zookeeper/config") == 0)
        count_up(&configs);
}

static void authenticated(int code, const void *data)
{
    (void)data;
    CHECK(code == ZOK);
    count_up(&answers);
}

/* Has the test that runs this stop or start a server. */
static void ask(const char *wish, int number)
{
    char answer[100];
    printf("@%s %d\n", wish, number);
    fflush(stdout);
    CHECK(fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "done\n") == 0);
}

/* The number of the server that a client is connected to. */
static int server_of(zhandle_t *handle)
{
    const char *current = zoo_get_current_server(handle);
    for (int i = 0; current != NULL && i < SERVERS; i++) {
        if (strcmp(current, hosts[i]) == 0)
            return i + 1;
    }
    CHECK(!"the client is connected to one of the servers");
    return 0;
}

/* Does a read until it gets through: the client moves between servers at its own pace. */
static void get_through(zhandle_t *handle, struct Stat *stat)
{
    struct timespec pause = { 0, 20 * 1000 * 1000 };
    time_t until = time(NULL) + WAIT_SECONDS;
    int code;
    while ((code = zoo_exists(handle, "/c-ensemble/e", 0, stat)) != ZOK) {
        CHECK((code == ZCONNECTIONLOSS || code == ZOPERATIONTIMEOUT || code == ZINVALIDSTATE) && time(NULL) < until);
        nanosleep(&pause, NULL);
    }
}

static void check_config(zhandle_t *handle)
{
    char text[2000], line[200], *end;
    int length = sizeof text;
    struct Stat stat;

    CHECK(zoo_getconfig(handle, 0, text, &length, &stat) == ZOK);
    text[length] = 0;
    CHECK(strstr(text, "server.1=") && strstr(text, "server.3=") && strstr(text, "\nversion="));
    end = strchr(text, '\n');
    snprintf(line, sizeof line, "%.*s", (int)(end - text), text);
    length = sizeof text;
    CHECK(zoo_reconfig(handle, line, NULL, NULL, -1, text, &length, &stat) == ZNOAUTH);
    CHECK(zoo_add_auth(handle, "digest", "super:test", 10, authenticated, NULL) == ZOK);
    await_count(&answers, 1);
    length = sizeof text;
    CHECK(zoo_reconfig(handle, "server.9=nonsense", NULL, NULL, -1, text, &length, &stat) == ZBADARGUMENTS);
    length = sizeof text;
    CHECK(zoo_reconfig(handle, line, NULL, NULL, 7, text, &length, &stat) == ZBADVERSION);
    length = sizeof text;
    CHECK(zoo_wgetconfig(handle, watch, NULL, text, &length, &stat) == ZOK);
    length = sizeof text;
    CHECK(zoo_reconfig(handle, line, NULL, NULL, -1, text, &length, &stat) == ZOK);
    text[length] = 0;
    CHECK(strstr(text, line) && strstr(text, "server.3="));
    await_count(&configs, 1);
}

/* The server of the client ends, whichever it is. */
static void check_losing_servers(zhandle_t *handle)
{
    int64_t session = zoo_client_id(handle)->client_id;
    struct Stat stat;
    for (int i = 0; i < SERVERS; i++) {
        int before = connects, own = server_of(handle);
        ask("stop", own);
        await_count(&connects, before + 1);
        get_through(handle, &stat);
        CHECK(zoo_client_id(handle)->client_id == session && stat.ephemeralOwner == session);
        ask("start", own);
    }
}

int main(int count, char **arguments)
{
    struct Stat stat;
    zhandle_t *handle;
    CHECK(count == 2);
    CHECK(sscanf(arguments[1], "%63[^,],%63[^,],%63[^,]", hosts[0], hosts[1], hosts[2]) == SERVERS);
    zoo_set_debug_level(0);
    handle = zookeeper_init(arguments[1], watch, 20000, NULL, NULL, ZOO_READONLY);
    CHECK(handle != NULL);
    await_count(&connects, 1);
    CHECK(zoo_create(handle, "/c-ensemble", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
    CHECK(zoo_create(handle, "/c-ensemble/e", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0) == ZOK);
    check_config(handle);
    check_losing_servers(handle);
    CHECK(zookeeper_close(handle) == ZOK);
    /* A server that is alone serves whom it may. */
    connects = 0;
    ask("stop", 2);
    ask("stop", 3);
    handle = zookeeper_init(arguments[1], watch, 20000, NULL, NULL, ZOO_READONLY);
    CHECK(handle != NULL);
    await_count(&read_only, 1);
    CHECK(zoo_exists(handle, "/c-ensemble", 0, &stat) == ZOK);
    CHECK(zoo_set(handle, "/c-ensemble", "x", 1, -1) == ZNOTREADONLY);
    CHECK(zookeeper_close(handle) == ZOK);
    printf("all is well\n");
    return 0;
}
