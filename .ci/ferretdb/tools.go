//go:build tools
package x
import _ "github.com/FerretDB/FerretDB/cmd/ferretdb"
