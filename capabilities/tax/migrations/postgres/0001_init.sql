-- A tax that falls due in a country or one of its regions (empty: in all of it), on items of a class. An empty line
-- stands for all business lines.
CREATE TABLE tax_rate (
    tenant      TEXT COLLATE "C" NOT NULL,
    line        TEXT COLLATE "C" NOT NULL,
    country     TEXT COLLATE "C" NOT NULL,
    region      TEXT COLLATE "C" NOT NULL,
    tax_class   TEXT COLLATE "C" NOT NULL,
    code        TEXT COLLATE "C" NOT NULL,
    valid_from  BIGINT           NOT NULL,
    valid_until BIGINT           NOT NULL,
    rate_bp     BIGINT           NOT NULL,
    PRIMARY KEY (tenant, line, country, region, tax_class, code, valid_from)
);

-- The tax class of an item that is not of the default class.
CREATE TABLE tax_item (
    tenant    TEXT COLLATE "C" NOT NULL,
    line      TEXT COLLATE "C" NOT NULL,
    sku       TEXT COLLATE "C" NOT NULL,
    tax_class TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, line, sku)
);
