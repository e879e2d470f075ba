import { Table } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { ScrollBox } from "./ScrollBox";

type Props<Name extends string> = {
  /** What readers call it. */
  label: string;
  columns: readonly Name[];
  /** What stands above a column. */
  head: (name: Name) => string;
  /** Columns of figures; their cells say so too. */
  ends?: readonly Name[];
  /** Columns that narrow windows do without; their cells say so too. */
  wide?: readonly Name[];
  isFramed?: boolean;
  /** The rows. */
  children: ReactNode;
};

/** A table with a heading above each column; what is too wide scrolls in its own box. */
export function ListTable<Name extends string>(props: Props<Name>) {
  const { label, columns, head, ends = [], wide = [], isFramed = false, children } = props;
  return (
    <ScrollBox label={label} isFramed={isFramed}>
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            {columns.map((name) => (
              <Table.ColumnHeader
                key={name}
                scope="col"
                whiteSpace="nowrap"
                {...(ends.includes(name) ? { textAlign: "end" } : {})}
                {...(wide.includes(name) ? { hideBelow: "md" } : {})}
              >
                {head(name)}
              </Table.ColumnHeader>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body fontVariantNumeric="tabular-nums">{children}</Table.Body>
      </Table.Root>
    </ScrollBox>
  );
}
