#!/bin/sh
# Makes the certificates of the TLS test: an authority, a broker, a gateway. Their keys
# protect nothing.
set -eu
cd "$(dirname "$0")"
new_key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"; }
new_key authority
openssl req -x509 -new -key authority.key -subj "/CN=Tidewatch test authority" -days 36500 -out authority.pem
for name in broker gw-1; do
    new_key "$name"
    openssl req -new -key "$name.key" -subj "/CN=$name" |
        openssl x509 -req -CA authority.pem -CAkey authority.key -CAcreateserial -days 36500 -out "$name.pem" \
            -extfile "$name.ext"
done
rm authority.key authority.srl
