-- A tax that falls due in a country or one of its regions (empty: in all of it), on items of a class. An empty line
-- stands for all business lines.
CREATE TABLE tax_rate (
    tenant      TEXT    NOT NULL,
    line        TEXT    NOT NULL,
    country     TEXT    NOT NULL,
    region      TEXT    NOT NULL,
    tax_class   TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    valid_from  INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    rate_bp     INTEGER NOT NULL,
    PRIMARY KEY (tenant, line, country, region, tax_class, code, valid_from)
) STRICT, WITHOUT ROWID;

-- The tax class of an item that is not of the default class.
CREATE TABLE tax_item (
    tenant    TEXT NOT NULL,
    line      TEXT NOT NULL,
    sku       TEXT NOT NULL,
    tax_class TEXT NOT NULL,
    PRIMARY KEY (tenant, line, sku)
) STRICT, WITHOUT ROWID;
