import { DataList } from "@chakra-ui/react";
import type { ReactNode } from "react";

/** One fact with its name, in a list of them. */
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <DataList.Item>
      <DataList.ItemLabel>{label}</DataList.ItemLabel>
      <DataList.ItemValue overflowWrap="anywhere" minW={0}>
        {children}
      </DataList.ItemValue>
    </DataList.Item>
  );
}
