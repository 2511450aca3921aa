package handlers

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConns is how many connections a listener keeps. Each costs some twenty
// kilobytes even if it never says a word.
const maxConns = 4096

// A crowd bounds a server's connections. When there are too many, the one
// goes in which nothing has happened for the longest time: an honest delivery
// takes milliseconds, so that is a dawdler or an idle one, and whoever comes
// next is served.
type crowd struct {
	limit int

	mu    sync.Mutex
	order list.List // of net.Conn; the one that changed last at the back
	at    map[net.Conn]*list.Element
}

// watch is an http.Server's ConnState.
func (c *crowd) watch(conn net.Conn, state http.ConnState) {
	if gone := c.note(conn, state); gone != nil {
		_ = gone.Close() // its handler, if any, finds out by reading
	}
}

// note records what happened and returns whom to send away.
func (c *crowd) note(conn net.Conn, state http.ConnState) (gone net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, known := c.at[conn]
	switch state {
	case http.StateNew:
		if c.at == nil {
			c.at = map[net.Conn]*list.Element{}
		}
		c.at[conn] = c.order.PushBack(conn)
	case http.StateActive, http.StateIdle:
		if known {
			c.order.MoveToBack(e)
		}
	case http.StateClosed, http.StateHijacked:
		if known {
			c.order.Remove(e)
			delete(c.at, conn)
		}
	}
	if c.order.Len() <= c.limit {
		return nil
	}
	gone = c.order.Remove(c.order.Front()).(net.Conn)
	delete(c.at, gone)
	return gone
}
