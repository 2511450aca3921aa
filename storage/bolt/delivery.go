package bolt

import (
	"encoding/json"

	"github.com/hookd/hookd/syncqueue"
)

// A deliveryRecord is a delivery as it is stored, without its bytes. Before its
// JSON stand the provider and the guid as texts of a key, so that the index of
// guids is rebuilt at open without decoding anything.
type deliveryRecord struct {
	syncqueue.Entry
	Size int
}

func sealDelivery(key []byte, e syncqueue.Entry) ([]byte, error) {
	d := deliveryRecord{Entry: e, Size: len(e.Delivery.Body)}
	d.Delivery.Body = nil
	return sealEncoded(key, func(e *encoder) {
		e.b = appendText(appendText(e.b, d.Delivery.Provider), d.Delivery.GUID)
		e.delivery(&d)
	})
}

// cutDelivery reads the guid of a delivery's record and returns the rest.
func cutDelivery(key, record []byte) (g guid, rest []byte, err error) {
	rest, err = unseal(tDeliveries, key, record)
	if err != nil {
		return g, nil, err
	}
	var ok, also bool
	g.provider, rest, ok = cut(rest)
	g.guid, rest, also = cut(rest)
	if !ok || !also {
		return g, nil, &DamagedError{Bucket: tDeliveries.String(), Key: append([]byte(nil), key...), Reason: "it does not begin with a guid"}
	}
	return g, rest, nil
}

func unsealDelivery(key, record []byte) (d deliveryRecord, err error) {
	_, rest, err := cutDelivery(key, record)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(rest, &d); err != nil {
		return d, &DamagedError{Bucket: tDeliveries.String(), Key: append([]byte(nil), key...), Reason: err.Error()}
	}
	return d, nil
}
