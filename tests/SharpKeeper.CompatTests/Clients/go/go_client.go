// The Go client against the servers given as the first argument; ends with 0 if all was as it must be.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/samuel/go-zookeeper/zk"
)

const wait = 30 * time.Second

var (
	hosts   []string
	answers = bufio.NewReader(os.Stdin)
	open    = zk.WorldACL(zk.PermAll)
)

// Says what went wrong and ends.
func fail(format string, values ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func check(condition bool, format string, values ...interface{}) {
	if !condition {
		fail(format, values...)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(wanted, got error, what string) {
	check(got == wanted, "%s: %v instead of %v", what, got, wanted)
}

// Has the test that runs this stop or start servers.
func ask(wish string) {
	fmt.Println("@" + wish)
	line, err := answers.ReadString('\n')
	must(err)
	check(line == "done\n", "the test answered %q to %s", line, wish)
}

type silent struct{}

func (silent) Printf(string, ...interface{}) {}

// Connects, and waits until there is a session.
func connect(servers ...string) *zk.Conn {
	connected := make(chan bool, 1)
	watch := func(event zk.Event) {
		check(event.State != zk.StateExpired, "the session has expired")
		if event.State == zk.StateHasSession {
			select {
			case connected <- true:
			default:
			}
		}
	}
	conn, _, err := zk.Connect(servers, 20*time.Second, zk.WithLogger(silent{}), zk.WithEventCallback(watch))
	must(err)
	select {
	case <-connected:
	case <-time.After(wait):
		fail("no connection to %v", servers)
	}
	return conn
}

func awaitEvent(events <-chan zk.Event, kind zk.EventType, path string) {
	select {
	case event := <-events:
		check(event.Err == nil && event.Type == kind && event.Path == path, "%v instead of %v of %s", event, kind, path)
	case <-time.After(wait):
		fail("%v of %s did not come", kind, path)
	}
}

// Does something again until the connection is back.
func again(do func() error) {
	for until := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		err := do()
		if err == nil {
			return
		}
		isLost := err == zk.ErrConnectionClosed || err == zk.ErrNoServer
		check(isLost && time.Now().Before(until), "the connection did not come back: %v", err)
	}
}

func checkTree(conn *zk.Conn) {
	path, err := conn.Create("/go", []byte("one"), 0, open)
	check(err == nil && path == "/go", "create: %s, %v", path, err)
	_, err = conn.Create("/go", nil, 0, open)
	expect(zk.ErrNodeExists, err, "create again")
	_, err = conn.Create("/none/child", nil, 0, open)
	expect(zk.ErrNoNode, err, "create without a parent")
	data, stat, err := conn.Get("/go")
	check(err == nil && string(data) == "one" && stat.Version == 0 && stat.DataLength == 3, "get: %s, %v", data, err)
	stat, err = conn.Set("/go", []byte("two"), 0)
	check(err == nil && stat.Version == 1 && stat.Mzxid > stat.Czxid, "set: %v, %v", stat, err)
	_, err = conn.Set("/go", nil, 0)
	expect(zk.ErrBadVersion, err, "set of an old version")
	for i := 0; i < 3; i++ {
		path, err = conn.Create("/go/s-", nil, zk.FlagSequence, open)
		check(err == nil && path == fmt.Sprintf("/go/s-%010d", i), "sequential: %s, %v", path, err)
	}
	path, err = conn.Create("/go/e", nil, zk.FlagEphemeral, open)
	must(err)
	_, err = conn.Create("/go/e/child", nil, 0, open)
	expect(zk.ErrNoChildrenForEphemerals, err, "child of an ephemeral")
	isThere, stat, err := conn.Exists(path)
	check(err == nil && isThere && stat.EphemeralOwner == conn.SessionID(), "ephemeral: %v, %v", stat, err)
	names, stat, err := conn.Children("/go")
	sort.Strings(names)
	check(err == nil && stat.NumChildren == 4, "children: %v", err)
	check(reflect.DeepEqual(names, []string{"e", "s-0000000000", "s-0000000001", "s-0000000002"}), "%v", names)
	expect(zk.ErrNotEmpty, conn.Delete("/go", -1), "delete of a parent")
	expect(zk.ErrNoNode, conn.Delete("/none", -1), "delete of nothing")
	must(conn.Delete("/go/s-0000000000", 0))
	path, err = conn.Sync("/go")
	check(err == nil && path == "/go", "sync: %s, %v", path, err)
	path, err = conn.CreateProtectedEphemeralSequential("/go/p-", nil, open)
	check(err == nil && strings.HasPrefix(path, "/go/_c_") && strings.HasSuffix(path, "-p-0000000004"), "%s, %v", path, err)
}

func checkWatches(conn *zk.Conn) {
	isThere, _, created, err := conn.ExistsW("/go/w")
	check(err == nil && !isThere, "exists: %v", err)
	_, err = conn.Create("/go/w", nil, 0, open)
	must(err)
	awaitEvent(created, zk.EventNodeCreated, "/go/w")
	_, _, changed, err := conn.GetW("/go/w")
	must(err)
	_, err = conn.Set("/go/w", []byte("x"), -1)
	must(err)
	awaitEvent(changed, zk.EventNodeDataChanged, "/go/w")
	_, _, more, err := conn.ChildrenW("/go/w")
	must(err)
	_, err = conn.Create("/go/w/c", nil, 0, open)
	must(err)
	awaitEvent(more, zk.EventNodeChildrenChanged, "/go/w")
	_, _, gone, err := conn.ExistsW("/go/w/c")
	must(err)
	must(conn.Delete("/go/w/c", 0))
	awaitEvent(gone, zk.EventNodeDeleted, "/go/w/c")
}

func checkMulti(conn *zk.Conn) {
	results, err := conn.Multi(
		&zk.CreateRequest{Path: "/m", Data: []byte("1"), Acl: open},
		&zk.CreateRequest{Path: "/m/s-", Acl: open, Flags: zk.FlagSequence},
		&zk.SetDataRequest{Path: "/m", Data: []byte("2"), Version: 0},
		&zk.CheckVersionRequest{Path: "/m", Version: 1},
		&zk.DeleteRequest{Path: "/m/s-0000000000", Version: 0})
	check(err == nil && len(results) == 5, "multi: %v, %v", results, err)
	check(results[1].String == "/m/s-0000000000" && results[2].Stat.Version == 1, "%v", results)
	results, err = conn.Multi(
		&zk.SetDataRequest{Path: "/m", Data: []byte("3"), Version: 1},
		&zk.CheckVersionRequest{Path: "/m", Version: 9},
		&zk.DeleteRequest{Path: "/m", Version: -1})
	expect(zk.ErrBadVersion, err, "multi that fails")
	check(len(results) == 3 && results[1].Error == zk.ErrBadVersion, "%v", results)
	data, stat, err := conn.Get("/m")
	check(err == nil && string(data) == "2" && stat.Version == 1, "a multi that failed changed %s", data)
}

func checkRights(conn *zk.Conn) {
	secret := zk.DigestACL(zk.PermAll, "ann", "pw")
	_, err := conn.Create("/mine", nil, 0, zk.AuthACL(zk.PermAll))
	expect(zk.ErrInvalidACL, err, "create for nobody")
	_, err = conn.Create("/secret", []byte("s"), 0, secret)
	must(err)
	_, _, err = conn.Get("/secret")
	expect(zk.ErrNoAuth, err, "get without a right")
	must(conn.AddAuth("digest", []byte("ann:pw")))
	data, _, err := conn.Get("/secret")
	check(err == nil && string(data) == "s", "get with a right: %v", err)
	_, err = conn.Create("/mine", nil, 0, zk.AuthACL(zk.PermAll))
	must(err)
	acl, stat, err := conn.GetACL("/mine")
	check(err == nil && stat.Aversion == 0 && reflect.DeepEqual(acl, secret), "%v, %v", acl, err)
	stat, err = conn.SetACL("/mine", zk.WorldACL(zk.PermRead), 0)
	check(err == nil && stat.Aversion == 1, "%v, %v", stat, err)
	_, err = conn.Set("/mine", nil, -1)
	expect(zk.ErrNoAuth, err, "set without a right")
}

// Clients that each take the lock in turn never hold it together.
func checkLock() {
	const clients, turns = 3, 5
	var all sync.WaitGroup
	var holders, taken int
	var guard sync.Mutex
	for i := 0; i < clients; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			conn := connect(hosts...)
			defer conn.Close()
			for turn := 0; turn < turns; turn++ {
				lock := zk.NewLock(conn, "/locks/go", open)
				must(lock.Lock())
				guard.Lock()
				holders++
				taken++
				check(holders == 1, "%d hold the lock", holders)
				guard.Unlock()
				guard.Lock()
				holders--
				guard.Unlock()
				must(lock.Unlock())
			}
		}()
	}
	all.Wait()
	check(taken == clients*turns, "the lock was taken %d times", taken)
}

// Lists more names than a request could hold.
func checkLongReply(conn *zk.Conn) {
	const children, perMulti = 3000, 100
	padding := strings.Repeat("n", 1000)
	_, err := conn.Create("/many", nil, 0, open)
	must(err)
	for i := 0; i < children; i += perMulti {
		var ops []interface{}
		for j := i; j < i+perMulti; j++ {
			ops = append(ops, &zk.CreateRequest{Path: fmt.Sprintf("/many/%d%s", j, padding), Acl: open})
		}
		_, err = conn.Multi(ops...)
		must(err)
	}
	names, _, err := conn.Children("/many")
	check(err == nil && len(names) == children, "children of /many: %d, %v", len(names), err)
	data := bytes.Repeat([]byte("d"), 1000*1000)
	_, err = conn.Set("/many", data, -1)
	must(err)
	got, _, err := conn.Get("/many")
	check(err == nil && bytes.Equal(got, data), "%d bytes of /many: %v", len(got), err)
}

// The helpers that read what four-letter words answer with regular expressions.
func checkWords(conn *zk.Conn) {
	for i, isOk := range zk.FLWRuok(hosts, wait) {
		check(isOk, "%s is not ok", hosts[i])
	}
	// This reports the line of the connection that asks as one it cannot read, with every server.
	seen := 0
	servers, _ := zk.FLWCons(hosts, wait)
	for _, server := range servers {
		for _, client := range server.Clients {
			if client.SessionID == conn.SessionID() {
				seen++
				check(client.Timeout == 20000 && client.Received > 0, "%v", client)
			}
		}
	}
	check(seen == 1, "cons shows the session %d times", seen)
}

// The session, its ephemerals, identities and watches live on when servers end.
func checkRestart(conn *zk.Conn) {
	session := conn.SessionID()
	for round := range hosts {
		_, _, changed, err := conn.GetW("/go")
		must(err)
		number := ""
		for i, host := range hosts {
			if len(hosts) > 1 && host == conn.Server() {
				number = fmt.Sprintf(" %d", i+1)
			}
		}
		ask("stop" + number)
		if number == "" {
			ask("start")
		}
		again(func() error { _, _, err := conn.Get("/secret"); return err })
		again(func() error { _, err := conn.Set("/go", []byte(fmt.Sprint(round)), -1); return err })
		awaitEvent(changed, zk.EventNodeDataChanged, "/go")
		_, stat, err := conn.Exists("/go/e")
		check(err == nil && stat.EphemeralOwner == session && conn.SessionID() == session, "the session was lost")
		if number != "" {
			ask("start" + number)
		}
	}
}

func main() {
	hosts = strings.Split(os.Args[1], ",")
	conn := connect(hosts...)
	checkTree(conn)
	checkWatches(conn)
	checkMulti(conn)
	checkRights(conn)
	checkLock()
	checkLongReply(conn)
	checkWords(conn)
	checkRestart(conn)
	conn.Close()
	after := connect(hosts...)
	_, err := after.Sync("/go")
	must(err)
	isThere, _, err := after.Exists("/go/e")
	check(err == nil && !isThere, "an ephemeral outlived its session")
	after.Close()
	fmt.Println("all is well")
}
